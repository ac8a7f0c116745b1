"""What a certificate's key may be used for, and what each purpose asks of the certificate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from trust.pki.certificate import Certificate
from trust.pki.usages import ExtendedKeyUsage, KeyUsage


class Purpose(StrEnum):
    """What the signature under judgement does."""

    DOCUMENT_SIGNING = "document signing"
    TIMESTAMPING = "timestamping"
    CREDENTIAL_SIGNING = "credential signing"
    STATUS_SIGNING = "status signing"
    IDENTITY = "identity"
    OCSP_SIGNING = "ocsp signing"
    CRL_SIGNING = "crl signing"
    ANY = "any purpose"  # a certificate looked at by itself: nothing is asked of its usage


_SIGNING = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.CONTENT_COMMITMENT})


@dataclass(frozen=True, kw_only=True)
class _Requirement:
    """`any_of` are extended key usages of which one is enough; `without` says whether none at all will do.

    `key_usage` are bits of which one has to be set where the extension is there. `alone_and_critical` is RFC 3161
    §2.3: the one usage, marked critical. `nested` says whether an authority's extended key usage limits it: what
    says whether other certificates still hold is allowed to every authority about its own.
    """

    any_of: frozenset[str]
    without: bool = False
    alone_and_critical: bool = False
    key_usage: frozenset[KeyUsage] = _SIGNING
    nested: bool = True


# Certificates from elsewhere sign documents with e-mail protection, or with no extended usage at all.
_REQUIREMENTS: Mapping[Purpose, _Requirement] = MappingProxyType(
    {
        Purpose.DOCUMENT_SIGNING: _Requirement(
            any_of=frozenset(
                {ExtendedKeyUsage.DOCUMENT_SIGNING, ExtendedKeyUsage.EMAIL_PROTECTION, ExtendedKeyUsage.ANY}
            ),
            without=True,
        ),
        Purpose.TIMESTAMPING: _Requirement(
            any_of=frozenset({ExtendedKeyUsage.TIMESTAMPING}), alone_and_critical=True
        ),
        Purpose.CREDENTIAL_SIGNING: _Requirement(any_of=frozenset({ExtendedKeyUsage.CREDENTIAL_SIGNING})),
        Purpose.STATUS_SIGNING: _Requirement(any_of=frozenset({ExtendedKeyUsage.STATUS_SIGNING})),
        Purpose.IDENTITY: _Requirement(any_of=frozenset({ExtendedKeyUsage.CLIENT_AUTHENTICATION})),
        # RFC 6960 §4.2.2.2: this usage itself; any usage is not enough.
        Purpose.OCSP_SIGNING: _Requirement(any_of=frozenset({ExtendedKeyUsage.OCSP_SIGNING}), nested=False),
        Purpose.CRL_SIGNING: _Requirement(
            any_of=frozenset(), without=True, key_usage=frozenset({KeyUsage.CRL_SIGN}), nested=False
        ),
    }
)


def usage_problems(leaf: Certificate, authorities: Sequence[Certificate], purpose: Purpose) -> list[str]:
    """What stands against this use, in sentences; empty where nothing does.

    An authority's extended key usage, where it has one, limits those below it, as browsers and openssl hold it.
    """
    if purpose is Purpose.ANY:
        return []
    required = _REQUIREMENTS[purpose]
    problems = []
    if leaf.key_usage is not None and not leaf.key_usage & required.key_usage:
        problems.append(f"the key usage of {leaf.subject_text} does not allow {_act(purpose)}")
    usages = leaf.extended_key_usage
    if usages is None:
        if not required.without:
            problems.append(f"{leaf.subject_text} has no extended key usage; {purpose} needs one")
    elif required.any_of and not usages & required.any_of:
        problems.append(f"the extended key usage of {leaf.subject_text} does not allow {purpose}")
    if required.alone_and_critical and not (
        leaf.critical_extended_key_usage and usages is not None and len(usages) == 1
    ):
        problems.append(f"{leaf.subject_text} must have {purpose} as its only, critical extended key usage")
    allowed = required.any_of | {ExtendedKeyUsage.ANY}
    problems.extend(
        f"the extended key usage of {each.subject_text} does not allow {purpose} below it"
        for each in authorities
        if required.nested and each.extended_key_usage is not None and not each.extended_key_usage & allowed
    )
    return problems


def _act(purpose: Purpose) -> str:
    return "signing lists" if purpose is Purpose.CRL_SIGNING else "signing"
