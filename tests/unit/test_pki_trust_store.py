"""A folder of trust material is read whole or refused by the name of the file that is wrong."""

import base64
import json
from pathlib import Path

import pytest

from tests.support.pki import TestPki
from trust.pki import trust_store
from trust.pki.errors import TrustStoreRefused
from trust.pki.trust_store import TrustStore

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
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrustStoreRefused, match=name):
        TrustStore.load(tmp_path)


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
