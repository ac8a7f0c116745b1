"""OCSP answers by keys that the usual tools do not sign with, written in DER by hand (RFC 6960 §4.2.1)."""

import hashlib
from datetime import datetime, timedelta

from tests.support.pki import Authority, Leaf, TestPki
from trust.crypto import der, der_reader
from trust.crypto.suites import definition


def answer(
    leaf: Leaf, issuer: Authority, pki: TestPki, *, revoked_at: datetime | None = None, altered: bool = False
) -> bytes:
    """The issuer's own answer about a certificate: good, or revoked; `altered` after it was signed."""
    # 1. Whom it is about: by the digests that every client knows.
    key = der_reader.read(issuer.signer.spki).children()[1].bits()
    cert_id = der.sequence(
        der.sequence(der.oid("1.3.14.3.2.26"), der.null()),
        der.octet_string(hashlib.sha1(issuer.parsed.subject).digest()),
        der.octet_string(hashlib.sha1(key).digest()),
        der.integer(leaf.parsed.serial),
    )
    status = der.context(0, b"", constructed=False)
    if revoked_at is not None:
        status = der.context(1, der.generalized_time(revoked_at))
    this_update = pki.now - timedelta(hours=1)
    single = der.sequence(
        cert_id,
        status,
        der.generalized_time(this_update),
        der.context(0, der.generalized_time(this_update + timedelta(days=1))),
    )

    # 2. Who answers, and the signature.
    responder = der.context(2, der.octet_string(hashlib.sha1(key).digest()))
    tbs = der.sequence(responder, der.generalized_time(this_update), der.sequence(single))
    signature = issuer.signer.sign(tbs)
    if altered:
        tbs = tbs.replace(der.integer(leaf.parsed.serial), der.integer(leaf.parsed.serial ^ 1))
    basic = der.sequence(tbs, definition(issuer.signer.suite).signature_algorithm, der.bit_string(signature))
    inner = der.sequence(der.oid("1.3.6.1.5.5.7.48.1.1"), der.octet_string(basic))
    return der.sequence(der.enumerated(0), der.context(0, inner))
