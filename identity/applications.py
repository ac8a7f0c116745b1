"""Applications, such as approval systems (审批系统): known by a public key, limited to their scopes."""

import re
from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from identity.caller import Caller, Role, Scope
from identity.errors import ApplicationExists, ApplicationRevoked, PublicKeyRefused, ScopesRefused
from identity.events import Act, done, refusals_kept
from identity.ids import ApplicationId
from identity.model import AgencyScope, Application, EveryAgency, Page, PageRequest
from identity.paging import checked
from identity.repository import ApplicationRows, PartyInserts
from identity.signin.repository import AccessTokenRows
from trust.kernel.clock import Clock
from trust.kernel.errors import NotFound
from trust.kernel.ids import Ids
from trust.kernel.text import line
from trust.ledger.ledger import Ledger

# X.520's bound on a common name: a longer one could not stand in the application's certificate.
MAX_APPLICATION_NAME_CHARACTERS: Final = 64
# A P-256 coordinate is 32 octets; strict, for the library skips over what is not base64url.
_COORDINATE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")


class Applications:
    """Registers, lists and revokes an agency's applications."""

    def __init__(self, *, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._clock = clock
        self._ids = ids

    def register(
        self, caller: Caller, *, name: str, public_jwk: Mapping[str, Any], scopes: frozenset[Scope]
    ) -> Application:
        """The agency's administrator registers an application.

        Raises RoleMissing, PublicKeyRefused, ScopesRefused and ApplicationExists (the key is in use).
        """
        with self._ledger.work() as work:
            with refusals_kept(
                Act.APPLICATION_REFUSED, caller, "applications", attempted=Act.APPLICATION_REGISTERED
            ):
                caller.require_role(Role.AGENCY_ADMINISTRATOR)
            if not scopes:
                raise ScopesRefused("an application needs a scope")
            key = accepted_public_key(public_jwk)
            application = Application(
                id=self._ids.new(ApplicationId),
                agency_id=caller.require_agency(),
                name=line(name, what="the name", limit=MAX_APPLICATION_NAME_CHARACTERS),
                public_jwk={str(member): str(value) for member, value in key.as_dict(private=False).items()},
                scopes=scopes,
                registered_at=self._clock.now(),
            )
            if not PartyInserts(work).application(
                application, thumbprint=key.thumbprint(), by=caller.account_id
            ):
                raise ApplicationExists(
                    "an application with this key is registered; make it a key of its own"
                )
            content = {"scopes": sorted(scopes), "key": key.thumbprint()}
            work.record(done(Act.APPLICATION_REGISTERED, caller, application.id, content=content))
        return application

    def list(self, caller: Caller, page: PageRequest) -> Page[Application]:
        """The applications of the administrator's, auditor's or seal officer's agency, oldest first."""
        page = checked(page, ApplicationId)
        caller.require_role(
            Role.PLATFORM_ADMINISTRATOR, Role.AGENCY_ADMINISTRATOR, Role.AUDITOR, Role.SEAL_OFFICER
        )
        scope: AgencyScope = (
            EveryAgency.EVERY if Role.PLATFORM_ADMINISTRATOR in caller.roles else caller.require_agency()
        )
        with self._ledger.read() as work:
            rows = ApplicationRows(work).page(scope, page)
        return Page.of(rows, page.limit, lambda application: application.id)

    def revoke(self, caller: Caller, application_id: ApplicationId) -> Application:
        """Revokes for good; the application's tokens end with it. Raises NotFound, ApplicationRevoked."""
        with self._ledger.work() as work:
            with refusals_kept(
                Act.APPLICATION_REFUSED, caller, application_id, attempted=Act.APPLICATION_REVOKED
            ):
                caller.require_role(Role.AGENCY_ADMINISTRATOR)
            scope = caller.require_agency()
            if ApplicationRows(work).find(application_id, scope) is None:
                raise NotFound("there is no application of this id")
            if not PartyInserts(work).application_revocation(
                application_id, at=self._clock.now(), by=caller.account_id
            ):
                raise ApplicationRevoked("this application is revoked already")
            AccessTokenRows(work).end_of_application(application_id)
            work.record(done(Act.APPLICATION_REVOKED, caller, application_id))
            revoked = ApplicationRows(work).find(application_id, scope)
        if revoked is None:
            raise NotFound("there is no application of this id")
        return revoked


def accepted_public_key(jwk: Mapping[str, Any]) -> ECKey:
    """An application's key (RFC 7517, RFC 7518 §6.2) with its public members alone; raises PublicKeyRefused."""
    if "d" in jwk:
        raise PublicKeyRefused("this is a private key: keep it, make a new one, and send its public half")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise PublicKeyRefused('the key must be of kty "EC" and crv "P-256" (RFC 7518 §6.2)')
    if jwk.get("alg", "ES256") != "ES256" or jwk.get("use", "sig") != "sig":
        raise PublicKeyRefused('the key must be for alg "ES256" and use "sig", or leave these out')
    x, y = jwk.get("x"), jwk.get("y")
    if not all(isinstance(c, str) and _COORDINATE.match(c) for c in (x, y)):
        raise PublicKeyRefused("x and y must be base64url of 32 octets each")
    try:
        key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": str(x), "y": str(y)})
        key.public_key.public_numbers()  # computed on first use: here a point off the curve is found
    except (JoseError, ValueError):
        raise PublicKeyRefused("x and y are not a point of P-256") from None
    return key
