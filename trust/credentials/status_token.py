"""Verifying a signed status list (draft 20 §8.3) and asking it about one licence.

The list comes from the verifier's own trust store and is never fetched here. A list that cannot be
believed or is out of date leaves the question open; it never makes a licence valid.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trust.credentials import jws
from trust.credentials.errors import CredentialMalformed
from trust.credentials.jws import Jws
from trust.credentials.sd_jwt import check_signature
from trust.credentials.status_list import Status, StatusList
from trust.credentials.validity import CLOCK_SKEW, numeric_date
from trust.credentials.x5c import read_signer, read_x5c, x5c_header
from trust.kernel.clock import rfc3339
from trust.kernel.report import Checks, Indication, Report
from trust.pki.certificate import Certificate
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore

TYP = "statuslist+jwt"
KIND = "status-list"
# The packed list at its limit, in base64url twice (once in the claim, once around the payload).
MAX_STATUS_TOKEN_CHARACTERS = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class StatusListVerification:
    """A report of kind `status-list`; the list itself only where the report is valid."""

    report: Report
    uri: str | None = None
    statuses: StatusList | None = None


def header(chain: tuple[bytes, ...]) -> dict[str, Any]:
    """The header of a status list token signed by the first of these certificates (DER)."""
    return {"alg": jws.ES256, "typ": TYP, "x5c": x5c_header(chain)}


def verify_status_token(token: str, *, trust: TrustStore, at: datetime) -> Report:
    """The report alone; see `open_status_token`."""
    return open_status_token(token, trust=trust, at=at).report


def open_status_token(token: str, *, trust: TrustStore, at: datetime) -> StatusListVerification:
    """Verifies a status list token by its x5c chain; never raises on what the token holds.

    Checks: structure, algorithm, signature, then those of the path for status signing, and `freshness`.
    """
    checks = Checks()
    try:
        content = _Content.read(token)
    except CredentialMalformed as error:
        checks.failed("structure", error.message, sub_indication="FORMAT_FAILURE")
        return StatusListVerification(report=Report.conclude(kind=KIND, subject="", checks=checks.all()))
    checks.passed("structure", TYP)
    check_signature(checks, content.token, lambda _: content.signer.spki)
    path = validate_path(
        content.signer.der,
        intermediates=content.intermediates,
        trust=trust,
        at=at,
        purpose=Purpose.STATUS_SIGNING,
    )
    checks.extend(path.checks)
    content.freshness.check(checks, at)
    facts = {
        "uri": content.uri,
        "signer": content.signer.subject_text,
        "bits": content.statuses.bits,
        "entries": content.statuses.size,
        "issued": rfc3339(content.freshness.issued),
    }
    report = Report.conclude(kind=KIND, subject=content.uri, checks=checks.all(), facts=facts)
    believed = content.statuses if report.indication is Indication.VALID else None
    return StatusListVerification(report=report, uri=content.uri, statuses=believed)


def status_list_uri(token: str) -> str:
    """Under which URI a token keeps its list (`sub`), unverified; raises CredentialMalformed."""
    return _Content.read(token).uri


@dataclass(frozen=True, kw_only=True)
class _Content:
    """A status list token taken apart; nothing is verified."""

    token: Jws
    signer: Certificate
    intermediates: tuple[bytes, ...]
    uri: str
    statuses: StatusList
    freshness: "_Freshness"

    @classmethod
    def read(cls, text: str) -> "_Content":
        token = jws.parse(text, max_characters=MAX_STATUS_TOKEN_CHARACTERS)
        if token.header.get("typ") != TYP:
            raise CredentialMalformed(f"the header's typ has to be {TYP}")
        uri = token.payload.get("sub")
        if not isinstance(uri, str) or not uri:
            raise CredentialMalformed("the token does not say whose list it is (sub)")
        chain = read_x5c(token.header)
        return cls(
            token=token,
            signer=read_signer(chain),
            intermediates=chain[1:],
            uri=uri,
            statuses=StatusList.decode(token.payload.get("status_list")),
            freshness=_Freshness.read(token.payload),
        )


@dataclass(frozen=True, kw_only=True)
class _Freshness:
    """From when until when a list speaks. `ttl` counts where the list names no end of its own."""

    issued: datetime
    expires: datetime | None

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "_Freshness":
        issued = numeric_date(payload, "iat")
        if issued is None:
            raise CredentialMalformed("the token does not say when it was issued (iat)")
        ttl = payload.get("ttl")
        if ttl is not None and (isinstance(ttl, bool) or not isinstance(ttl, int | float) or ttl <= 0):
            raise CredentialMalformed("ttl is not a positive number of seconds")
        expires = numeric_date(payload, "exp")
        if expires is None and ttl is not None:
            try:
                expires = issued + timedelta(seconds=ttl)
            except OverflowError as error:
                raise CredentialMalformed("ttl reaches beyond the year 9999") from error
        return cls(issued=issued, expires=expires)

    def check(self, checks: Checks, at: datetime) -> None:
        """Notes `freshness`: a list that is out of date, or never ends, answers nothing."""
        if self.expires is None:
            detail = "the list does not say until when it holds"
        elif at >= self.expires:
            detail = f"the list was good until {rfc3339(self.expires)}"
        elif at + CLOCK_SKEW < self.issued:
            detail = f"the list was issued later, at {rfc3339(self.issued)}"
        else:
            checks.passed("freshness", f"until {rfc3339(self.expires)}")
            return
        checks.unknown("freshness", detail, sub_indication="TRY_LATER")


def check_status(checks: Checks, claim: Any, *, trust: TrustStore, at: datetime) -> str | None:
    """Notes `status` for a credential's `status` claim; the status in a word, None where nobody can tell.

    0 passes; 1 and 2 (invalid, suspended) fail; anything that this house does not define is not known.
    """
    if claim is None:
        checks.unknown("status", "the credential names no status list", sub_indication="TRY_LATER")
        return None
    reference = claim.get("status_list") if isinstance(claim, Mapping) else None
    index = reference.get("idx") if isinstance(reference, Mapping) else None
    uri = reference.get("uri") if isinstance(reference, Mapping) else None
    if isinstance(index, bool) or not isinstance(index, int) or index < 0 or not isinstance(uri, str):
        checks.failed("status", "the status claim has no index and uri", sub_indication="FORMAT_FAILURE")
        return None
    token = trust.status_lists.get(uri)
    if token is None:
        checks.unknown("status", "no status list is at hand", sub_indication="TRY_LATER")
        return None
    opened = open_status_token(token, trust=trust, at=at)
    if opened.statuses is None or opened.uri != uri:
        reasons = ", ".join(opened.report.reasons()) or "it is another list"
        checks.unknown(
            "status", f"the status list is not to be believed: {reasons}", sub_indication="TRY_LATER"
        )
        return None
    if index >= opened.statuses.size:
        checks.failed("status", "the status list has no such index", sub_indication="FORMAT_FAILURE")
        return None
    return _note_status(checks, opened.statuses.get(index))


def _note_status(checks: Checks, value: int) -> str | None:
    if value == Status.VALID:
        checks.passed("status", "valid")
        return "valid"
    if value == Status.INVALID:
        checks.failed("status", "the issuer has declared it invalid", sub_indication="REVOKED")
        return "invalid"
    if value == Status.SUSPENDED:
        checks.failed("status", "the issuer has suspended it", sub_indication="SUSPENDED")
        return "suspended"
    checks.unknown("status", f"the status {value} has no meaning here", sub_indication="TRY_LATER")
    return None
