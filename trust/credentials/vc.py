"""SD-JWT VC: a licence as a verifiable credential (`dc+sd-jwt`), signed under a certificate.

    header = vc.header(chain)
    octets = vc.signing_input(header, payload)          # payload from sd_jwt.issue_payload
    issued = sd_jwt.compact(jws.attach(octets, signature), disclosures)
    vc.verify(issued, trust=trust, at=now)

The signer is the issuing agency's credential key; its certificate chain travels in `x5c`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trust.credentials import jws, sd_jwt
from trust.credentials.disclosures import Path, path_text
from trust.credentials.errors import CredentialMalformed
from trust.credentials.jws import Jws
from trust.credentials.key_binding import KeyBindingPolicy
from trust.credentials.sd_jwt import SdJwtVerification
from trust.credentials.status_token import check_status
from trust.credentials.validity import numeric_date
from trust.credentials.x5c import read_signer, read_x5c, x5c_header
from trust.kernel.clock import rfc3339
from trust.kernel.report import Checks, Report
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore

TYP = "dc+sd-jwt"
KIND = "sd-jwt-vc"

# SD-JWT VC §3.2.2.2: what the holder must not be able to leave out, or to add after the fact.
NEVER_DISCLOSED = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"})


def header(chain: Sequence[bytes]) -> dict[str, Any]:
    """The header for a credential signed by the first of these certificates (DER, signer first, no anchor)."""
    return {"alg": jws.ES256, "typ": TYP, "x5c": x5c_header(chain)}


def signing_input(header: Mapping[str, Any], payload: Mapping[str, Any]) -> bytes:
    """The octets that the credential key signs; raises `CredentialMalformed` where `vct` is missing."""
    if not isinstance(payload.get("vct"), str):
        raise CredentialMalformed("a credential says its type (vct)")
    return jws.signing_input(header, payload)


def verify(
    text: str,
    *,
    trust: TrustStore,
    at: datetime,
    expected_vct: str | None = None,
    key_binding: KeyBindingPolicy | None = None,
    existed_by: datetime | None = None,
) -> Report:
    """The report alone, its claims under `facts`; see `open_credential`."""
    return open_credential(
        text,
        trust=trust,
        at=at,
        expected_vct=expected_vct,
        key_binding=key_binding,
        existed_by=existed_by,
    ).report


def open_credential(
    text: str,
    *,
    trust: TrustStore,
    at: datetime,
    expected_vct: str | None = None,
    key_binding: KeyBindingPolicy | None = None,
    existed_by: datetime | None = None,
) -> SdJwtVerification:
    """Verifies a licence credential; never raises on what it holds.

    Checks: those of `sd_jwt.verify`, then credential-type, those of the path for credential signing at
    `at`, and status. The status list comes from the trust store; without it the answer is cannot tell.
    Who issued it is the subject of the certificate (`signer`); `iss` is a claim like any other. `existed_by` is a
    moment by which the text is proven to have existed, as by an evidence record: the path is judged as of then.
    """
    # 1. Signature, disclosures, times and key binding.
    opened = sd_jwt.verify(text, resolve_key=_signer_key, at=at, typ=TYP, key_binding_policy=key_binding)
    checks = Checks()
    checks.extend(opened.report.checks)
    facts: dict[str, Any] = {}
    if opened.token is not None:
        # 2. Who signed, and whether that certificate may sign credentials.
        _check_path(checks, facts, opened.token, trust=trust, at=at, existed_by=existed_by)
    if opened.claims is not None:
        # 3. What kind of credential, and that nothing was disclosed that must be signed openly.
        _check_type(checks, opened.claims, opened.disclosed, expected_vct)
        # 4. Whether it still holds.
        status = check_status(checks, opened.claims.get("status"), trust=trust, at=at)
        facts |= _claim_facts(opened) | {"status": status}
    subject = str(facts.get("vct", ""))
    report = Report.conclude(kind=KIND, subject=subject, checks=checks.all(), facts=facts)
    return SdJwtVerification(
        report=report, token=opened.token, claims=opened.claims, disclosed=opened.disclosed
    )


def _signer_key(token: Jws) -> bytes:
    return read_signer(read_x5c(token.header)).spki


def _check_path(
    checks: Checks,
    facts: dict[str, Any],
    token: Jws,
    *,
    trust: TrustStore,
    at: datetime,
    existed_by: datetime | None,
) -> None:
    try:
        chain = read_x5c(token.header)
        facts["signer"] = read_signer(chain).subject_text
    except CredentialMalformed as error:
        checks.failed("signing-certificate", error.message, sub_indication="NO_SIGNING_CERTIFICATE_FOUND")
        return
    path = validate_path(
        chain[0],
        intermediates=chain[1:],
        trust=trust,
        at=existed_by or at,
        now=at,
        purpose=Purpose.CREDENTIAL_SIGNING,
        # But for a proof from outside, nothing says when the token was signed: its `iat` is the signer's own word.
        time_is_proven=existed_by is not None,
    )
    checks.extend(path.checks)


def _check_type(
    checks: Checks, claims: Mapping[str, Any], disclosed: Sequence[Path], expected_vct: str | None
) -> None:
    vct = claims.get("vct")
    misplaced = [path for path in disclosed if path[0] in NEVER_DISCLOSED]
    if misplaced:
        names = ", ".join(map(path_text, misplaced))
        checks.failed("credential-type", f"{names} must not be disclosed", sub_indication="FORMAT_FAILURE")
    elif not isinstance(vct, str) or not vct:
        checks.failed("credential-type", "the credential says no type", sub_indication="FORMAT_FAILURE")
    elif expected_vct is not None and vct != expected_vct:
        checks.failed(
            "credential-type",
            f"the credential is not a {expected_vct}",
            sub_indication="SIG_CONSTRAINTS_FAILURE",
        )
    else:
        checks.passed("credential-type", vct)


def _claim_facts(opened: SdJwtVerification) -> dict[str, Any]:
    claims = opened.claims or {}
    facts: dict[str, Any] = {
        "claims": dict(claims),
        "disclosed": [path_text(path) for path in opened.disclosed],
        "key_bound": sd_jwt.passed(opened.report, "key-binding"),
    }
    if isinstance(claims.get("vct"), str):
        facts["vct"] = claims["vct"]
    for name, fact in (("nbf", "valid_from"), ("exp", "valid_until"), ("iat", "issued")):
        try:
            moment = numeric_date(claims, name)
        except CredentialMalformed:
            continue  # said by the validity check
        if moment is not None:
            facts[fact] = rfc3339(moment)
    return facts
