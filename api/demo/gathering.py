"""What a stranger will need: anchors, CRLs, status lists, verifier keys; checkpoint, proofs, receipts."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.demo.parties import Party, StepFailed
from api.demo.story import Story, in_days

AUTHORITIES: Final = ("root", "identity", "seals", "service")
# Sequencing follows an event within about a second.
INCLUSION_SECONDS: Final = 20


def gather(story: Story) -> None:
    """Fetches trust material and proofs over HTTP, as anybody may, and writes them down."""
    anybody = Party(story.base)
    try:
        _trust(story, anybody)
        _proofs(story, anybody)
    finally:
        anybody.close()


def _trust(story: Story, anybody: Party) -> None:
    for authority in AUTHORITIES:
        certificate = x509.load_der_x509_certificate(anybody.get(f"/ca/{authority}.cer").content)
        story.write(f"trust/{authority}.pem", certificate.public_bytes(Encoding.PEM))
        crl = x509.load_der_x509_crl(anybody.get(f"/crl/{authority}.crl").content)
        story.write(f"trust/{authority}.crl", crl.public_bytes(Encoding.PEM))
    lists = {story.known[name]["status"]["list_id"] for name in ("business-licence", "permit")}
    for list_id in sorted(lists):
        token = anybody.get(f"/v1/status-lists/{list_id}").text
        story.write(f"trust/{list_id}.statuslist.jwt", token.encode())
    story.write("trust/log.vkey", anybody.get("/log/vkey").content)
    story.note("trust/", authorities=len(AUTHORITIES), status_lists=len(lists))


def _proofs(story: Story, anybody: Party) -> None:
    use = story.known["decision-use"]
    events = {"decision-sealed": use["event_id"], **story.known.get("events", {})}
    for name, event_id in events.items():
        story.write(f"proofs/{name}.tlog-proof", _proof(anybody, event_id))
    story.write("proofs/checkpoint", anybody.get("/log/checkpoint").content)
    story.note("proofs/", events=sorted(events))


def gather_bundles(story: Story) -> None:
    """Proof bundles of the decision, the permit, the archived case and an event, each asked for by who may have it."""
    planning = story.agencies["planning"]
    use, permit, record = (story.known[name] for name in ("decision-use", "permit", "record"))
    materials = [material["name"] for material in record["materials"]]
    archivist = planning.staff["archivist"]
    request = archivist.post(
        "/v1/retrieval-requests",
        {"record_id": record["id"], "purpose": "出具证明", "materials": materials, "until": in_days(7)},
    )
    planning.staff["archive-approver"].post(
        f"/v1/retrieval-requests/{request['id']}/approvals", {"note": "同意"}
    )
    asked: tuple[tuple[str, Party, str, dict[str, str]], ...] = (
        ("decision", planning.system(), f"/v1/seal-uses/{use['id']}/proof-bundle", {}),
        ("permit", story.require_agent(), f"/v1/licences/{permit['id']}/proof-bundle", {}),
        ("case", archivist, f"/v1/records/{record['id']}/proof-bundle", {"retrieval_request": request["id"]}),
        ("event", planning.staff["auditor"], f"/v1/events/{use['event_id']}/proof-bundle", {}),
    )
    for name, party, path, query in asked:
        story.write(f"bundles/{name}.zip", _until_included(partial(_content, party, path, query)))
    story.note("bundles/", bundles=[name for name, *_ in asked])


def _proof(anybody: Party, event_id: str) -> bytes:
    """The inclusion proof of an event, once a checkpoint covers it."""
    return _until_included(lambda: anybody.get(f"/log/proofs/{event_id}").content)


def _content(party: Party, path: str, query: Mapping[str, str]) -> bytes:
    return party.get(path, **query).content


def _until_included(ask: Callable[[], bytes]) -> bytes:
    until = time.monotonic() + INCLUSION_SECONDS
    while True:
        try:
            return ask()
        except StepFailed:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
