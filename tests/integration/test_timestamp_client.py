"""Outside timestamp authorities: good ones are used, and whatever a bad one does, the next in the list is asked."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.cli.timestamps import kept_by_ntp
from api.settings import SettingRefused, Settings
from api.timestamping.sources import (
    READ_AGAIN_SECONDS,
    OutsideTrust,
    outside_trust,
    own_policies,
    timestamp_source,
)
from tests.support.pki import TestPki
from tests.support.timestamp_peers import Answer, Good, Peer, bad, served
from trust.authority.errors import OutsideAuthorityRefused, TimestampAuthorityAway
from trust.authority.timestamp_client import (
    FIRST_REST_SECONDS,
    LONGEST_REST_SECONDS,
    MAX_RESPONSE_BYTES,
    OutsideAuthority,
    TimestampFallback,
    read_credentials,
)
from trust.authority.timestamps import TimestampAuthority
from trust.crypto.digests import sha256
from trust.kernel.clock import SystemClock
from trust.kernel.errors import InvalidInput
from trust.pki.errors import TrustStoreRefused
from trust.pki.profiles import ProfileName
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.timestamp.errors import FailInfo
from trust.timestamp.responses import granted, rejected
from trust.timestamp.tokens import build_token, build_tst_info, parse_token

IMPRINT = sha256(b"what is stamped")
POLICY = "1.2.3.4"


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki(now=datetime.now(UTC))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def authority(stack: ExitStack, peer: Peer, trust: TrustStore, **more: object) -> OutsideAuthority:
    url = stack.enter_context(served(peer))
    made = OutsideAuthority(url, trust=lambda: trust, answer_seconds=0.5, **more)  # type: ignore[arg-type]  # named by tests
    stack.callback(made.close)
    return made


def test_a_good_authority_is_asked_again_and_again_over_one_connection(
    pki: TestPki, stack: ExitStack
) -> None:
    peer = Good(pki=pki)
    url = stack.enter_context(served(peer))
    outside = stack.enter_context(closing(OutsideAuthority(url, trust=pki.trust_store)))
    guess = outside.largest_token()
    tokens = [outside.token(sha256(bytes([number]))) for number in range(5)]
    assert [parse_token(token)[1].imprint for token in tokens] == [sha256(bytes([n])) for n in range(5)]
    assert len({parse_token(token)[1].nonce for token in tokens}) == 5
    assert len(url.seen.came_from) == 1  # type: ignore[attr-defined]  # what served() gives
    assert max(map(len, tokens)) <= outside.largest_token() < guess


def test_an_authority_of_which_nobody_knows_whether_it_is_revoked_is_refused(
    pki: TestPki, stack: ExitStack
) -> None:
    with pytest.raises(OutsideAuthorityRefused, match="revocation"):
        authority(stack, Good(pki=pki), pki.trust_store(with_crls=False)).token(IMPRINT)


def _of_another_key(pki: TestPki) -> bytes:
    return TestPki(now=pki.now).token(IMPRINT)


def _by_a_seal(pki: TestPki, nonce: int | None) -> bytes:
    leaf = pki.leaf(ProfileName.SEAL)
    return pki.token(IMPRINT, nonce=nonce, authority=leaf)


def _damaged(token: bytes) -> bytes:
    return token[:-1] + bytes([token[-1] ^ 1])


# What a bad authority answers, and a word of the reason.
BAD: dict[str, tuple[Callable[[TestPki], Peer], str]] = {
    "another nonce": (lambda p: bad(p, lambda q: p.token(q.imprint, nonce=(q.nonce or 0) + 1)), "nonce"),
    "no nonce": (lambda p: bad(p, lambda q: p.token(q.imprint)), "nonce"),
    "another imprint": (lambda p: bad(p, lambda q: p.token(sha256(b"other"), nonce=q.nonce)), "imprint"),
    "a certificate for seals": (lambda p: bad(p, lambda q: _by_a_seal(p, q.nonce)), "does not hold"),
    "an authority nobody knows": (lambda p: bad(p, lambda _q: _of_another_key(p)), "does not hold"),
    "a signature that does not hold": (
        lambda p: bad(p, lambda q: _damaged(p.token(q.imprint, nonce=q.nonce))), "does not hold",
    ),
    "yesterday's time": (
        lambda p: bad(p, lambda q: p.token(q.imprint, nonce=q.nonce, gen_time=p.now - timedelta(hours=20))),
        "asked for at",
    ),
    "tomorrow's time": (
        lambda p: bad(p, lambda q: p.token(q.imprint, nonce=q.nonce, gen_time=p.now + timedelta(days=1))),
        "timestamp-order",
    ),
    "a rejection": (lambda _p: lambda _q: Answer(body=rejected(FailInfo.SYSTEM_FAILURE, "病")), "system-failure, 病"),
    "a grant without a token": (lambda _p: lambda _q: Answer(body=bytes.fromhex("30053003020100")), "exactly one"),
    "no DER": (lambda _p: lambda _q: Answer(body=b"\x30\x80no DER"), "not a DER"),
    "nothing": (lambda _p: lambda _q: Answer(body=b""), "not a DER"),
    "a token that is none": (lambda _p: lambda _q: Answer(body=granted(b"\x30\x00")), "does not hold"),
    "a page": (lambda _p: lambda _q: Answer(body=b"<html>", media_type="text/html"), "text/html"),
    "a redirect": (
        lambda _p: lambda _q: Answer(body=b"", status=302, headers={"Location": "http://127.0.0.1:1/"}), "302",
    ),
    "a fault": (lambda _p: lambda _q: Answer(body=b"", status=500), "500"),
    "too much": (lambda _p: lambda _q: Answer(body=bytes(MAX_RESPONSE_BYTES * 4)), "more than"),
    "a coding": (
        lambda p: lambda q: replace(Good(pki=p)(q), headers={"Content-Encoding": "gzip"}), "coding",
    ),
    "a cut connection": (lambda p: lambda q: replace(Good(pki=p)(q), cut=100), "request failed"),
    "octets that drip": (lambda p: lambda q: replace(Good(pki=p)(q), drip=0.02), "within 0.5 s"),
    "silence": (lambda p: lambda q: replace(Good(pki=p)(q), silent=1.5), "within 0.5 s"),
    "headers that drip": (lambda p: lambda q: replace(Good(pki=p)(q), drip_headers=0.05), "within 0.5 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_whatever_a_bad_authority_does_it_is_said_and_the_next_is_asked(
    name: str, pki: TestPki, stack: ExitStack
) -> None:
    make, word = BAD[name]
    trust = pki.trust_store()
    first = authority(stack, make(pki), trust)
    with pytest.raises(OutsideAuthorityRefused, match=word):
        first.token(IMPRINT)
    good = Good(pki=pki)
    token = TimestampFallback([first, authority(stack, good, trust)]).token(IMPRINT)
    assert parse_token(token)[1].imprint == IMPRINT
    assert good.asked == 1


def test_an_authority_that_nobody_answers_at_is_refused() -> None:
    with (
        closing(OutsideAuthority("http://127.0.0.1:1/tsa", trust=TrustStore)) as outside,
        pytest.raises(OutsideAuthorityRefused, match="request failed"),
    ):
        outside.token(IMPRINT)


def test_the_policy_wanted_is_the_policy_got(pki: TestPki, stack: ExitStack) -> None:
    def under(policy: str) -> Peer:
        stamping = pki.timestamp_authority

        def token(imprint: bytes, nonce: int | None) -> bytes:
            info = build_tst_info(imprint=imprint, serial=7, gen_time=pki.now, policy_oid=policy, nonce=nonce)
            return build_token(info, identity=stamping.identity, signer=stamping.signer)

        return bad(pki, lambda query: token(query.imprint, query.nonce))

    trust = pki.trust_store()
    assert authority(stack, under(POLICY), trust, policy=POLICY).token(IMPRINT)
    with pytest.raises(OutsideAuthorityRefused, match="policy"):
        authority(stack, under("1.2.3.5"), trust, policy=POLICY).token(IMPRINT)


def test_a_revoked_authority_is_refused(stack: ExitStack) -> None:
    pki = TestPki(now=datetime.now(UTC))
    pki.revoke(pki.timestamp_authority, at=pki.now - timedelta(hours=2))
    with pytest.raises(OutsideAuthorityRefused, match="revocation"):
        authority(stack, Good(pki=pki), pki.trust_store()).token(IMPRINT)


class Failing:
    """A source of our own that is away as long as told, and counts."""

    def __init__(self) -> None:
        self.away, self.asked = True, 0

    def token(self, _imprint: bytes) -> bytes:
        self.asked += 1
        if self.away:
            raise TimestampAuthorityAway("away")
        return b"token"

    def tokens(self, imprints: list[bytes]) -> list[bytes]:
        return [self.token(each) for each in imprints]

    def require_there(self) -> None:
        self.token(b"")

    def largest_token(self) -> int:
        return 5


def test_an_authority_that_failed_is_left_alone_for_longer_each_time_and_comes_back() -> None:
    now = 0.0
    first, last = Failing(), Failing()
    last.away = False
    source = TimestampFallback([first, last], elapsed=lambda: now)
    rests = []
    for _ in range(9):
        asked = first.asked
        source.token(IMPRINT)
        assert first.asked == asked + 1
        began = now
        while first.asked == asked + 1:
            now += 1
            source.token(IMPRINT)
        rests.append(now - began)
        first.asked = asked + 1
        now += LONGEST_REST_SECONDS
    assert rests[0] == FIRST_REST_SECONDS
    assert rests == sorted(rests)
    assert max(rests) == LONGEST_REST_SECONDS
    first.away = False
    asked = last.asked
    now += LONGEST_REST_SECONDS
    assert (source.token(IMPRINT), last.asked) == (b"token", asked)


def test_where_every_authority_failed_that_is_said_without_asking_them_again() -> None:
    now = 0.0
    only = Failing()
    source = TimestampFallback([only], elapsed=lambda: now)
    with pytest.raises(TimestampAuthorityAway):
        source.token(IMPRINT)
    for ask in (source.require_there, lambda: source.token(IMPRINT), lambda: source.tokens([IMPRINT])):
        with pytest.raises(TimestampAuthorityAway, match="a moment ago"):
            ask()
    assert only.asked == 1
    now = FIRST_REST_SECONDS
    only.away = False
    source.require_there()
    assert source.tokens([IMPRINT] * 3) == [b"token"] * 3


def test_many_are_asked_for_side_by_side_and_come_in_order(pki: TestPki, stack: ExitStack) -> None:
    source = TimestampFallback([authority(stack, Good(pki=pki), pki.trust_store())])
    stack.callback(source.close)
    imprints = [sha256(bytes([number])) for number in range(20)]
    assert [parse_token(token)[1].imprint for token in source.tokens(imprints)] == imprints
    assert source.tokens([]) == []


# Settings.


def _trust_folder(folder: Path, pki: TestPki) -> Path:
    folder.mkdir()
    for name, octets in (("root", pki.root.certificate), ("issuing", pki.issuing.certificate)):
        pem = x509.load_der_x509_certificate(octets).public_bytes(Encoding.PEM)
        (folder / f"{name}.pem").write_bytes(pem)
    (folder / "issuing.crl").write_bytes(pki.crl())
    return folder


def test_the_anchors_of_outside_authorities_are_believed_for_timestamps_and_nothing_else(
    tmp_path: Path, pki: TestPki
) -> None:
    folder = _trust_folder(tmp_path / "trust", pki)
    found = outside_trust(Settings(timestamp_trust=str(folder)))()
    (terms,) = found.anchor_terms.values()
    assert terms.problem(Purpose.TIMESTAMPING, pki.now) is None
    assert terms.problem(Purpose.DOCUMENT_SIGNING, pki.now) is not None
    assert not outside_trust(Settings())().anchors
    with pytest.raises(TrustStoreRefused):
        outside_trust(Settings(timestamp_trust=str(tmp_path / "none")))


def test_lists_that_are_brought_up_to_date_are_read_again_and_a_broken_folder_changes_nothing(
    tmp_path: Path, pki: TestPki
) -> None:
    now = 0.0
    folder = _trust_folder(tmp_path / "trust", pki)
    trust = OutsideTrust(folder, elapsed=lambda: now)
    first = trust().crls
    (folder / "issuing.crl").write_bytes(pki.crl())
    assert trust().crls == first
    now = READ_AGAIN_SECONDS
    second = trust().crls
    assert second != first
    (folder / "issuing.crl").write_bytes(b"no list")
    now *= 2
    assert trust().crls == second


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp_authorities": "http://tsa.example/"},  # nothing to judge tokens by
        {"timestamp_authorities": "ftp://tsa.example/", "timestamp_trust": "folder"},
        {"timestamp_authorities": "http://user:word@tsa.example/", "timestamp_trust": "folder"},
        {"timestamp_authorities": "https://t.example/", "timestamp_trust": "folder", "timestamp_credentials_file": "x"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(
    changes: dict[str, str], tmp_path: Path, pki: TestPki
) -> None:
    if "timestamp_trust" in changes:
        changes = {**changes, "timestamp_trust": str(_trust_folder(tmp_path / "trust", pki))}
    settings = Settings(**changes)  # type: ignore[arg-type]  # texts by the names of fields
    own = TimestampAuthority(database=None, signer=None)  # type: ignore[arg-type]  # never asked
    with pytest.raises(SettingRefused) as refused:
        timestamp_source(settings, own=own, trust=outside_trust(settings), clock=SystemClock())
    assert "word" not in refused.value.message
    with pytest.raises(SettingRefused, match="object identifier"):
        own_policies(Settings(timestamp_policies="1.2.3 x"))


def test_credentials_are_read_by_host_and_shown_over_https_only() -> None:
    found = read_credentials("# ours\ntsa.example Basic dTpw\n\nother.example:8443 Bearer abc\n")
    assert found == {"tsa.example": "Basic dTpw", "other.example:8443": "Bearer abc"}
    for text in ("tsa.example dTpw", "a Basic x\na Basic secret", "a Digest secret"):
        with pytest.raises(InvalidInput) as refused:
            read_credentials(text)
        assert "secret" not in refused.value.message
    with pytest.raises(InvalidInput, match="https only"):
        OutsideAuthority("http://tsa.example/", trust=TrustStore, authorization="Basic dTpw")


def test_what_the_kernel_says_of_its_clock_is_said_or_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kept_by_ntp() in (True, False, None)
    for answer, said in ((0, True), (5, False), (-1, None)):
        library = type("Library", (), {"ntp_gettime": staticmethod(lambda _buffer, given=answer: given)})
        monkeypatch.setattr(ctypes, "CDLL", lambda *_args, found=library, **_more: found)
        assert kept_by_ntp() is said
