"""A folder of trust material is read whole or refused by the name of the file that is wrong."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.pki import TestPki
from trust.crypto.digests import Digest, digest_of
from trust.crypto.policy import MAX_POLICY_BYTES, shipped_policy
from trust.documents.pdf.inside import anchors_only
from trust.kernel.report import Indication, Outcome
from trust.pki import trust_store
from trust.pki.anchors import AnchorTerms, read_anchor_terms, write_anchor_terms
from trust.pki.errors import TrustStoreRefused
from trust.pki.path import validate_path
from trust.pki.profiles import ProfileName
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.verify.content import SignedContent
from trust.verify.verifier import verify_bytes

_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki()


def _pem(label: str, octets: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.encodebytes(octets).decode()}-----END {label}-----\n"


def _jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


def test_a_folder_is_sorted_into_anchors_authorities_lists_and_keys(tmp_path: Path, pki: TestPki) -> None:
    root_list, issuing_list = pki.crl(pki.root), pki.crl()
    both = _pem("CERTIFICATE", pki.issuing.certificate) + "注释\n" + _pem("CERTIFICATE", pki.root.certificate)
    (tmp_path / "chain.pem").write_text(both)
    (tmp_path / "root.cer").write_bytes(pki.root.certificate)
    (tmp_path / "root.crl").write_bytes(root_list)
    (tmp_path / "issuing.crl").write_text(_pem("X509 CRL", issuing_list))
    token = _jwt({"sub": "https://status.example.test/1"})
    (tmp_path / "a.statuslist.jwt").write_text(token + "\n")
    (tmp_path / "ledger.vkey").write_text(f"{_VKEY}\n\n{_VKEY}\n")
    (tmp_path / "README.txt").write_text("read me")
    (tmp_path / "folder.pem").mkdir()

    trust = TrustStore.load(tmp_path)

    assert trust.anchors == (pki.root.certificate,)
    assert trust.intermediates == (pki.issuing.certificate,)
    assert set(trust.crls) == {root_list, issuing_list}
    assert trust.status_lists == {"https://status.example.test/1": token}
    assert trust.ledger_keys == (_VKEY,)


def test_without_revocation_data_the_rest_stays(pki: TestPki) -> None:
    bare = pki.trust_store().without_revocation()
    assert bare.anchors
    assert not bare.crls


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pem", b"nothing"),
        ("a.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("a.pem", b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n"),
        ("a.cer", b"\x30\x03\x02\x01\x01"),
        ("a.crl", b"\x30\x03\x02\x01\x01"),
        ("a.crl", b""),
        ("a.statuslist.jwt", b"no token"),
        ("a.statuslist.jwt", b"e30.e30.x"),
        ("a.statuslist.jwt", "e30.中.x".encode()),
        ("a.statuslist.jwt", _jwt({"sub": 1}).encode()),
        ("a.statuslist.jwt", b"e30." + base64.urlsafe_b64encode(b"[" * 100000) + b".x"),
        ("a.vkey", b"-----BEGIN PUBLIC KEY-----"),
        ("algorithms.json", b"{}"),
        ("algorithms.json", b"[" * 100000),
        ("algorithms.json", bytes(MAX_POLICY_BYTES + 1)),
        ("algorithms.json", shipped_policy().encode().replace(b'"version"', b'"versions"')),
        ("algorithms.json", b'{"version": "1", ' + shipped_policy().encode()[1:]),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrustStoreRefused, match=name):
        TrustStore.load(tmp_path)


def test_a_policy_in_the_folder_is_what_messages_and_certificates_are_judged_by(
    tmp_path: Path, pki: TestPki
) -> None:
    leaf = pki.leaf()
    message, token = leaf.sign_detached(b"octets"), pki.token(digest_of(b"octets", Digest.SHA256))
    (tmp_path / "root.cer").write_bytes(pki.root.certificate)
    (tmp_path / "issuing.cer").write_bytes(pki.issuing.certificate)
    (tmp_path / "root.crl").write_bytes(pki.crl(pki.root))
    (tmp_path / "issuing.crl").write_bytes(pki.crl())
    content = SignedContent.of(b"octets")

    def judged(octets: bytes) -> Indication:
        trust = TrustStore.load(tmp_path)
        beside = None if octets == leaf.certificate else content
        return verify_bytes(octets, name="x", trust=trust, at=pki.now, content=beside).indication

    assert [judged(each) for each in (message, token, leaf.certificate)] == [Indication.VALID] * 3
    drill = shipped_policy().with_digest(Digest.SHA256, until=pki.now)
    (tmp_path / "algorithms.json").write_bytes(drill.encode())
    assert TrustStore.load(tmp_path).policy == drill
    assert [judged(each) for each in (message, token, leaf.certificate)] == [Indication.CANNOT_TELL] * 3
    bare = TrustStore.load(tmp_path).without_revocation()
    assert bare.policy == drill
    assert anchors_only(bare).policy == drill


def test_a_folder_that_is_not_there_and_files_over_the_limits_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TrustStoreRefused):
        TrustStore.load(tmp_path / "missing")
    monkeypatch.setattr(trust_store, "MAX_PEM_BYTES", 10)
    (tmp_path / "large.pem").write_bytes(bytes(11))
    with pytest.raises(TrustStoreRefused, match=r"large\.pem"):
        TrustStore.load(tmp_path)
    monkeypatch.setattr(trust_store, "MAX_FILES", 0)
    with pytest.raises(TrustStoreRefused):
        TrustStore.load(tmp_path)


# What anchors are believed for.


def _terms_file(folder: Path, terms: object) -> None:
    text = terms if isinstance(terms, str) else json.dumps({"format": "yinxin-anchors/v1", "anchors": terms})
    (folder / "anchors.json").write_text(text)


def test_terms_are_read_from_beside_the_certificates_and_written_back(tmp_path: Path, pki: TestPki) -> None:
    (tmp_path / "root.cer").write_bytes(pki.root.certificate)
    fingerprint = sha256(pki.root.certificate).hexdigest()
    row = {"purposes": ["timestamping", "ocsp-signing"], "trusted_from": "2020-01-01T08:00:00+08:00"}
    _terms_file(tmp_path, {fingerprint: row})
    terms = TrustStore.load(tmp_path).anchor_terms
    (read,) = terms.values()
    assert read.purposes == {Purpose.TIMESTAMPING, Purpose.OCSP_SIGNING}
    assert read.trusted_from is not None
    assert read.trusted_from.isoformat() == "2020-01-01T00:00:00+00:00"
    assert read.trusted_until is None
    assert read_anchor_terms(write_anchor_terms(terms)) == terms
    assert TrustStore.load(tmp_path).without_revocation().anchor_terms == terms


@pytest.mark.parametrize(
    "terms",
    [
        "no JSON",
        "[" * 100_000,
        "[]",
        "{}",
        '{"format": "yinxin-anchors/v2", "anchors": {}}',
        '{"format": "yinxin-anchors/v1", "anchors": []}',
        '{"format": "yinxin-anchors/v1", "anchors": {}, "more": 1}',
        '{"format": "yinxin-anchors/v1", "anchors": {}, "anchors": {}}',
        {"AB" * 32: {}},
        {"ab" * 31: {}},
        {"ab" * 32: {}},  # no such anchor
        {"ROOT": []},
        {"ROOT": {"purpose": []}},
        {"ROOT": {"purposes": "timestamping"}},
        {"ROOT": {"purposes": ["timestamps"]}},
        {"ROOT": {"purposes": [["timestamping"]]}},
        {"ROOT": {"purposes": ["any-purpose"]}},
        {"ROOT": {"trusted_from": "2020-01-01"}},
        {"ROOT": {"trusted_until": 5}},
    ],
)
def test_terms_that_cannot_be_meant_are_refused(tmp_path: Path, pki: TestPki, terms: object) -> None:
    (tmp_path / "root.cer").write_bytes(pki.root.certificate)
    fingerprint = sha256(pki.root.certificate).hexdigest()
    if isinstance(terms, dict):
        terms = {fingerprint if key == "ROOT" else key: row for key, row in terms.items()}
    _terms_file(tmp_path, terms)
    with pytest.raises(TrustStoreRefused, match=r"anchors\.json"):
        TrustStore.load(tmp_path)


_HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("purposes", "from_hours", "until_hours", "because"),
    [
        (None, None, None, None),
        ({Purpose.DOCUMENT_SIGNING}, -1, 1, None),
        ({Purpose.DOCUMENT_SIGNING}, 0, 1, None),
        ({Purpose.TIMESTAMPING}, None, None, "not trusted for document signing"),
        (set(), None, None, "not trusted for document signing"),
        (None, 1, None, "trusted only from"),
        (None, None, 0, "trusted only until"),
    ],
)
def test_a_path_to_an_anchor_outside_its_terms_is_no_path(
    pki: TestPki,
    purposes: set[Purpose] | None,
    from_hours: int | None,
    until_hours: int | None,
    because: str | None,
) -> None:
    terms = AnchorTerms(
        purposes=None if purposes is None else frozenset(purposes),
        trusted_from=None if from_hours is None else pki.now + from_hours * _HOUR,
        trusted_until=None if until_hours is None else pki.now + until_hours * _HOUR,
    )
    trust = replace(pki.trust_store(), anchor_terms={pki.root.parsed.fingerprint: terms})
    leaf = pki.leaf(ProfileName.SEAL)
    result = validate_path(leaf.certificate, trust=trust, at=pki.now, purpose=Purpose.DOCUMENT_SIGNING)
    if because is None:
        assert result.passed
        return
    (trouble,) = [each for each in result.checks if each.outcome is not Outcome.PASSED]
    assert (trouble.code, trouble.outcome) == ("chain", Outcome.UNKNOWN)
    assert trouble.sub_indication == "NO_CERTIFICATE_CHAIN_FOUND"
    assert because in trouble.detail


@pytest.mark.parametrize("limited", ["root", "issuing"])
def test_of_two_anchors_on_one_way_the_one_within_its_terms_is_taken(pki: TestPki, limited: str) -> None:
    both = {"root": pki.root, "issuing": pki.issuing}
    trust = replace(
        pki.trust_store(),
        anchors=tuple(each.certificate for each in both.values()),
        anchor_terms={both[limited].parsed.fingerprint: AnchorTerms(purposes=frozenset())},
    )
    leaf = pki.leaf(ProfileName.SEAL)
    result = validate_path(leaf.certificate, trust=trust, at=pki.now, purpose=Purpose.DOCUMENT_SIGNING)
    assert result.passed
    (other,) = both.keys() - {limited}
    assert result.chain[-1] == both[other].certificate
