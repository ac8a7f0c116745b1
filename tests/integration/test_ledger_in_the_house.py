"""The ledger as the whole house runs it: its routes, its chores, its settings."""

from dataclasses import replace

import pytest

from api.settings import SettingRefused, Settings
from api.witnessing import read_policy
from api.worker import chores
from tests.support.house_edge import HouseEdge
from tests.support.tlog_client import open_signed_note, verify_proof_file
from tests.support.witness import Cosigner
from trust.evidence.tlog import TlogProof
from trust.ledger.search import EventQuery, EventScope, search

VKEY = Cosigner("witness.example/w1", 4, bytes(32)).vkey


def test_anybody_reads_the_log_and_its_proofs_over_the_houses_edge(shared_house):
    services, edge = shared_house.services, HouseEdge(shared_house)
    by_name = {chore.name: chore for chore in chores(services)}
    for name in ("ledger.sequence", "ledger.witness"):
        by_name[name].act()
    vkey = edge.get("/log/vkey").text.strip()
    origin, size, _root = open_signed_note(edge.get("/log/checkpoint").text, vkey).splitlines()[:3]
    assert origin == services.settings.origin
    assert int(size) > 0
    with services.ledger.read() as work:
        page = search(work, EventQuery(scope=EventScope.everything(), limit=1))
    proof = edge.get(f"/log/proofs/{page.items[0].event_id}").text
    assert verify_proof_file(proof, vkey, TlogProof.parse(proof).extra) == page.items[0].index
    assert edge.get("/log/witnessed-checkpoint").status_code == 404
    assert edge.get("/log/proofs/event_" + "0" * 32).status_code == 404
    assert edge.get("/log/passwords").status_code == 404


def test_the_policy_of_witnesses_is_read_from_its_file(tmp_path):
    settings = Settings(data=tmp_path, config=tmp_path)
    assert read_policy(settings).witnesses == ()
    path = tmp_path / "witnesses"
    path.write_text(f"witness w {VKEY} https://witness.example/\nquorum w\n")
    (witness,) = read_policy(replace(settings, witnesses_file=str(path))).witnesses
    assert (witness.key.encode(), witness.url) == (VKEY, "https://witness.example/")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "exactly one quorum"),
        (f"witness w {VKEY}\nquorum w", "http or https"),
        (f"witness w {VKEY} ftp://witness.example\nquorum w", "http or https"),
        (f"witness w {VKEY} https://user:secret@witness.example\nquorum w", "no credentials"),
        (f"witness w {VKEY} https://witness.example/?a=b\nquorum w", "without query"),
        (f"witness w {VKEY} https://[\nquorum w", "no URL"),
    ],
)
def test_a_policy_that_could_not_be_followed_stops_the_house_from_starting(tmp_path, text, says):
    path = tmp_path / "witnesses"
    path.write_text(text)
    settings = Settings(data=tmp_path, config=tmp_path, witnesses_file=str(path))
    with pytest.raises(SettingRefused, match=says):
        read_policy(settings)
    with pytest.raises(SettingRefused, match="cannot be read"):
        read_policy(replace(settings, witnesses_file=str(tmp_path / "missing")))
