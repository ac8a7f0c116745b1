"""SD-JWT (RFC 9901): put together, presented with chosen fields, and verified strictly.

payload, disclosures = issue_payload(claims, [("name",)], randomness)
octets = jws.signing_input({"alg": "ES256", "typ": "dc+sd-jwt"}, payload)
issued = compact(jws.attach(octets, signer.sign(octets)), disclosures)
shown = present(issued, [("name",)])
verify(shown, resolve_key=lambda token: spki, at=now).report.require_valid()
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trust.credentials import jws, key_binding
from trust.credentials.disclosures import (
    Disclosure,
    Path,
    ProcessedPayload,
    issue_payload,
    path_text,
    process,
)
from trust.credentials.errors import CredentialMalformed, DisclosureRefused, FieldUnknown
from trust.credentials.jws import Jws
from trust.credentials.key_binding import KeyBindingPolicy
from trust.credentials.validity import check_validity
from trust.kernel.errors import InvalidInput
from trust.kernel.report import Checks, Outcome, Report

__all__ = [
    "SdJwt",
    "SdJwtVerification",
    "check_signature",
    "compact",
    "issue_payload",
    "passed",
    "present",
    "verify",
]

# A licence with a photograph in a disclosure is some hundred kilobytes.
MAX_SD_JWT_CHARACTERS = 1_000_000

KeyResolver = Callable[[Jws], bytes]


@dataclass(frozen=True, kw_only=True)
class SdJwt:
    """A compact SD-JWT taken apart (RFC 9901 §4); nothing is verified."""

    token: Jws
    disclosures: tuple[str, ...]
    key_binding_jwt: str | None

    @classmethod
    def parse(cls, text: str) -> "SdJwt":
        """Reads `jwt~disclosure~…~` or `jwt~disclosure~…~kb-jwt`; raises `CredentialMalformed`."""
        if len(text) > MAX_SD_JWT_CHARACTERS:
            raise CredentialMalformed(f"an SD-JWT of over {MAX_SD_JWT_CHARACTERS} characters is not read")
        token, *disclosures = text.split("~")
        if not disclosures:
            raise CredentialMalformed("an SD-JWT has a tilde after its token and after each disclosure")
        key_binding_jwt = disclosures.pop() or None
        if not all(disclosures):
            raise CredentialMalformed("an SD-JWT has no empty disclosures")
        return cls(token=jws.parse(token), disclosures=tuple(disclosures), key_binding_jwt=key_binding_jwt)

    def presentation(self) -> str:
        """The text that a key binding JWT is made over: everything up to the last tilde (RFC 9901 §4.3.1)."""
        return "~".join([self.token.compact, *self.disclosures, ""])


@dataclass(frozen=True, kw_only=True)
class SdJwtVerification:
    """A report of kind `sd-jwt`, and what the token says where it may be listened to.

    `claims` is the processed payload; None unless signature, digests and disclosures hold. It is not yet to
    be relied upon where the report is not valid. `disclosed` names the fields shown by disclosures.
    """

    report: Report
    token: Jws | None = None
    claims: Mapping[str, Any] | None = None
    disclosed: tuple[Path, ...] = ()


def compact(token: str, disclosures: Sequence[Disclosure | str], kb_jwt: str | None = None) -> str:
    """The compact serialisation (RFC 9901 §4)."""
    encoded = [item if isinstance(item, str) else item.encoded for item in disclosures]
    return "~".join([token, *encoded, kb_jwt or ""])


def present(text: str, fields: Iterable[Path]) -> str:
    """The credential with only the disclosures that these fields need (RFC 9901 §7.2).

    A field within hidden fields brings those with it; a field shown as a whole does not bring what is
    hidden within it. A key binding JWT is left behind: it was made over other disclosures. Raises
    `FieldUnknown` for a field the credential does not have, and what `process` raises.
    """
    whole = SdJwt.parse(text)
    processed = process(whole.token.payload, whole.disclosures)
    chosen: set[str] = set()
    for path in fields:
        if path not in processed.fields:
            raise FieldUnknown(f"the credential has no field {path_text(path)}")
        steps = (path[:count] for count in range(1, len(path) + 1))
        chosen.update(processed.disclosed[step].encoded for step in steps if step in processed.disclosed)
    return compact(whole.token.compact, [item for item in whole.disclosures if item in chosen])


def verify(
    text: str,
    *,
    resolve_key: KeyResolver,
    at: datetime,
    typ: str | None = None,
    key_binding_policy: KeyBindingPolicy | None = None,
    subject: str = "",
) -> SdJwtVerification:
    """Verifies an SD-JWT as RFC 9901 §7.1 and §7.3 say; never raises on what the text holds.

    `resolve_key` gives the public key (SubjectPublicKeyInfo, DER) for the token; it may raise an
    `InvalidInput`, which becomes the reason. Whether that key may be believed is the caller's to find
    out. With a policy a key binding is required; without one a key binding that is there has to hold, but
    nobody can say for whom it was made.

    Checks: structure, algorithm, signature, disclosures, validity, key-binding.
    """
    checks = Checks()

    # 1. Take it apart.
    try:
        parsed = SdJwt.parse(text)
    except CredentialMalformed as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        report = Report.conclude(kind="sd-jwt", subject=subject, checks=checks.all())
        return SdJwtVerification(report=report)
    token = parsed.token
    if typ is None or token.header.get("typ") == typ:
        checks.passed("structure", "compact SD-JWT")
    else:
        checks.failed("structure", f"the header's typ is not {typ}", sub_indication="FORMAT_FAILURE")

    # 2. The issuer's signature, by an allowed algorithm.
    signed = check_signature(checks, token, resolve_key)

    # 3. Put the disclosed claims in place.
    processed = _check_disclosures(checks, parsed)

    # 4. The times, as the processed payload says them.
    if processed is not None:
        check_validity(checks, processed.claims, at)

    # 5. The holder's key binding.
    _check_key_binding(checks, parsed, policy=key_binding_policy, at=at)

    report = Report.conclude(kind="sd-jwt", subject=subject, checks=checks.all())
    if processed is None or not signed:
        return SdJwtVerification(report=report, token=token)
    return SdJwtVerification(
        report=report, token=token, claims=processed.claims, disclosed=tuple(processed.disclosed)
    )


def check_signature(checks: Checks, token: Jws, resolve_key: KeyResolver) -> bool:
    """Notes `algorithm` and `signature`; whether both passed."""
    try:
        suite = jws.require_algorithm(token.header)
    except InvalidInput as error:
        checks.failed("algorithm", error.message, sub_indication="CRYPTO_CONSTRAINTS_FAILURE")
        return False
    checks.passed("algorithm", suite.value)
    try:
        spki = resolve_key(token)
    except InvalidInput as error:
        checks.failed("signature", error.message, sub_indication="NO_SIGNING_CERTIFICATE_FOUND")
        return False
    try:
        jws.verify(token, spki)
    except InvalidInput as error:
        checks.failed("signature", error.message, sub_indication="SIG_CRYPTO_FAILURE")
        return False
    checks.passed("signature")
    return True


def _check_disclosures(checks: Checks, parsed: SdJwt) -> ProcessedPayload | None:
    try:
        processed = process(parsed.token.payload, parsed.disclosures)
    except CredentialMalformed as error:
        checks.failed("disclosures", error.message, sub_indication="FORMAT_FAILURE")
        return None
    except DisclosureRefused as error:
        checks.failed("disclosures", error.message, sub_indication="HASH_FAILURE")
        return None
    checks.passed("disclosures", f"{len(parsed.disclosures)} disclosed")
    return processed


def _check_key_binding(
    checks: Checks, parsed: SdJwt, *, policy: KeyBindingPolicy | None, at: datetime
) -> None:
    if parsed.key_binding_jwt is None:
        if policy is not None:
            checks.failed("key-binding", "no key binding is there", sub_indication="FORMAT_FAILURE")
        return
    try:
        key_binding.verify(
            parsed.key_binding_jwt,
            presentation=parsed.presentation(),
            # What the issuer signed openly, never what a disclosure says: §7.3 binds to the issuer's word.
            cnf=parsed.token.payload.get("cnf"),
            policy=policy,
            at=at,
        )
    except InvalidInput as error:
        checks.failed("key-binding", error.message, sub_indication="SIG_CONSTRAINTS_FAILURE")
        return
    detail = (
        "nonce and audience are as asked" if policy else "made by the holder; nonce and audience not asked"
    )
    checks.passed("key-binding", detail)


def passed(report: Report, code: str) -> bool:
    """Whether a check of this code is there and every one of them passed."""
    outcomes = [check.outcome for check in report.checks if check.code == code]
    return bool(outcomes) and all(outcome is Outcome.PASSED for outcome in outcomes)
