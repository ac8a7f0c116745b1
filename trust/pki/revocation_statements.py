"""Statements out of lists and answers whose signers are believed, with all that each rests on."""

from dataclasses import dataclass
from datetime import datetime

from trust.crypto.schemes import KeyKind
from trust.pki.certificate import Certificate
from trust.pki.crl import RevocationReason
from trust.pki.distribution_points import ALL_REASONS
from trust.pki.ocsp import OcspAnswer, SingleResponse
from trust.pki.revocation import Statement, covers
from trust.pki.revocation_list import Crl, Entry


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signed a source: its key, and what stands behind it beside the path."""

    spki: bytes
    key: KeyKind | None
    certificates: tuple[bytes, ...] = ()
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AuthenticList:
    """A list by a believed signer, and the reasons for which it is about the certificate asked for."""

    crl: Crl
    signer: Signer
    reasons: frozenset[RevocationReason]


def builds_on(delta: AuthenticList, base: AuthenticList) -> bool:
    """RFC 5280 §6.3.3 (c), §5.2.4: the same scope by the same key, and the base is not older than the delta's."""
    return (
        delta.crl.base_number is not None
        and base.crl.number is not None
        and base.crl.number >= delta.crl.base_number
        and (delta.crl.number is None or delta.crl.number >= base.crl.number)
        and delta.crl.issuer_name == base.crl.issuer_name
        and delta.crl.scope == base.crl.scope
        and delta.signer.spki == base.signer.spki
    )


def combined(complete: Entry | None, delta: Entry | None) -> Entry | None:
    """What both say together (RFC 5280 §5.2.4, §5.3.1): a delta lifts a hold, and nothing else."""
    if delta is None:
        return complete
    if delta.reason is not RevocationReason.REMOVE_FROM_CRL:
        return delta
    if complete is None or complete.reason is RevocationReason.CERTIFICATE_HOLD:
        return None
    return complete


def of_list(
    found: AuthenticList, certificate: Certificate, at: datetime, entry: Entry | None, *beside: AuthenticList
) -> Statement:
    """What a list says, `entry` being what it has about the certificate; `beside` is the base of a delta."""
    crl = found.crl
    under = [each for one in (found, *beside) for each in one.signer.statements]
    return Statement(
        source="list",
        made=crl.this_update,
        covers=covers(
            certificate,
            at,
            this_update=crl.this_update,
            next_update=crl.next_update,
            keeps_expired_since=crl.keeps_expired_since,
        ),
        reasons=found.reasons,
        entry=entry,
        lists=(*(one.crl.der for one in (found, *beside)), *(der for each in under for der in each.lists)),
        answers=tuple(der for each in under for der in each.answers),
        signers=(*found.signer.certificates, *(der for each in under for der in each.signers)),
    )


def of_delta_alone(found: AuthenticList, entry: Entry | None) -> Statement:
    """What a delta says without its base: that a certificate is revoked, and never that one is not."""
    return Statement(
        source="delta",
        made=found.crl.this_update,
        covers=False,
        reasons=found.reasons,
        entry=entry,
        lists=(found.crl.der, *(der for each in found.signer.statements for der in each.lists)),
        answers=tuple(der for each in found.signer.statements for der in each.answers),
        signers=(
            *found.signer.certificates,
            *(der for each in found.signer.statements for der in each.signers),
        ),
    )


def of_answer(
    answer: OcspAnswer, single: SingleResponse, signer: Signer, certificate: Certificate, at: datetime
) -> Statement:
    """What an answer says of a certificate that its responder knows."""
    under = signer.statements
    entry = None
    if single.revoked_at is not None:
        entry = Entry(since=single.revoked_at, reason=single.reason)
    return Statement(
        source="answer",
        made=single.this_update,
        covers=covers(
            certificate,
            at,
            this_update=single.this_update,
            # Without it newer information was always available: it speaks of no moment after its own.
            next_update=single.next_update or single.this_update,
            keeps_expired_since=single.archive_cutoff,
        ),
        reasons=ALL_REASONS,
        entry=entry,
        lists=tuple(der for each in under for der in each.lists),
        answers=(answer.der, *(der for each in under for der in each.answers)),
        signers=(*signer.certificates, *(der for each in under for der in each.signers)),
    )
