"""What counts for a timestamp that is proven to have existed by a later one (ETSI EN 319 102-1 §5.6.2).

Revocation data inside it could have been made by whoever broke its algorithm, or held the key of an authority that
had run out, before a later timestamp covered it. And of a verifier's own lists, those that revoke the authority
only from after that moment on say nothing about a token that was there before: that is what renewal is for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from trust.crypto.policy import AlgorithmPolicy
from trust.evidence.ers.validation_data import TokenData
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.errors import CertificateMalformed, CrlMalformed, OcspMalformed
from trust.pki.ocsp import CertificateState, read_ocsp
from trust.pki.revocation_list import Crl, read_crl
from trust.pki.standing import Standing
from trust.pki.trust_store import TrustStore


def believable(
    inside: TokenData, *, trust: TrustStore, existed_by: datetime, policy: AlgorithmPolicy
) -> TokenData:
    """The lists and answers of a token that count when all that is known is that they existed by this moment."""
    standing = Standing(trust, inside.certificates, policy=policy)
    return TokenData(
        certificates=inside.certificates,
        crls=tuple(each for each in inside.crls if standing.counts_list(each, existed_by)),
        ocsps=tuple(each for each in inside.ocsps if standing.counts_answer(each, existed_by)),
    )


def without_later_revocations(trust: TrustStore, chain: Sequence[bytes], existed_by: datetime) -> TrustStore:
    """The same without the lists and answers that revoke a certificate of the chain only after this moment."""
    certificates = readable(chain)

    def is_later(since: Iterable[datetime | None]) -> bool:
        named = [each for each in since if each is not None]
        return bool(named) and min(named) > existed_by

    return replace(
        trust,
        crls=tuple(each for each in trust.crls if not is_later(_revoked_by_list(each, certificates))),
        ocsps=tuple(each for each in trust.ocsps if not is_later(_revoked_by_answer(each, certificates))),
    )


def first_revocation(trust: TrustStore, inside: TokenData, chain: Sequence[bytes]) -> datetime | None:
    """The earliest moment from which anything at hand revokes a certificate of the chain."""
    certificates = readable(chain)
    moments = [
        moment
        for octets in (*trust.crls, *inside.crls)
        for moment in _revoked_by_list(octets, certificates)
        if moment is not None
    ]
    moments += [
        moment
        for octets in (*trust.ocsps, *inside.ocsps)
        for moment in _revoked_by_answer(octets, certificates)
        if moment is not None
    ]
    return min(moments, default=None)


def readable(octets: Iterable[bytes]) -> list[Certificate]:
    """The certificates that can be read."""
    found = []
    for each in dict.fromkeys(octets):
        try:
            found.append(read_certificate(each))
        except CertificateMalformed:
            continue
    return found


def _revoked_by_list(octets: bytes, certificates: Sequence[Certificate]) -> list[datetime | None]:
    try:
        crl: Crl = read_crl(octets)
        entries = [crl.entry_of(each) for each in certificates if each.issuer_name == crl.issuer_name]
    except CrlMalformed:
        return []
    return [None if entry is None else entry.since for entry in entries]


def _revoked_by_answer(octets: bytes, certificates: Sequence[Certificate]) -> list[datetime | None]:
    try:
        answer = read_ocsp(octets)
    except OcspMalformed:
        return []
    serials = {each.serial for each in certificates}
    return [
        each.revoked_at
        for each in answer.responses
        if each.state is CertificateState.REVOKED and each.cert_id.serial in serials
    ]
