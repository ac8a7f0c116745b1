"""What identity refuses, each with its stable code."""

from typing import ClassVar

from trust.kernel.errors import Conflict, Forbidden, InvalidInput, Malformed, Unauthenticated


class SignInRefused(Unauthenticated):
    """User name or password is wrong, or the account is not in use; which of these is never said."""

    code = "sign-in-refused"

    def __init__(self) -> None:
        super().__init__("the user name or the password is wrong, or the account is not in use")


class TokenRefused(Unauthenticated):
    """The bearer token or session is unknown, expired, ended or revoked; which of these is never said."""

    code = "token-refused"

    def __init__(self) -> None:
        super().__init__("the token is not valid (any more); sign in or ask for a new one")


class EnrolmentRefused(Unauthenticated):
    """The one-time link is unknown, used or expired; which of these is never said."""

    code = "enrolment-refused"

    def __init__(self) -> None:
        super().__init__("the enrolment link is not valid (any more); ask an administrator for a new one")


class UsernameRefused(InvalidInput):
    """The user name's form is not taken."""

    code = "username-refused"


class UsernameTaken(Conflict):
    """Somebody has this user name."""

    code = "username-taken"


class PasswordRefused(InvalidInput):
    """The password is too short, too long or too easy to guess."""

    code = "password-refused"


class AgencyExists(Conflict):
    """An agency with this code or USCC is there already."""

    code = "agency-exists"


class ServiceItemExists(Conflict):
    """The agency has a service item of this code."""

    code = "service-item-exists"


class CodeRefused(InvalidInput):
    """A code is not of the form taken."""

    code = "code-refused"


class StaffExists(Conflict):
    """The person has an account at this agency that is in use."""

    code = "staff-exists"


class RolesRefused(InvalidInput):
    """The set of roles cannot be given to one person at one agency."""

    code = "roles-refused"


class SeparationOfDuties(Forbidden):
    """The person holds, by another account, a role that may not stand with this one."""

    code = "separation-of-duties"


class OwnAccount(Conflict):
    """An administrator cannot do this to the own account."""

    code = "own-account"


class CitizenExists(Conflict):
    """A citizen with this resident id number is registered."""

    code = "citizen-exists"


class OrganisationExists(Conflict):
    """An organisation of this USCC is registered."""

    code = "organisation-exists"


class AgentExists(Conflict):
    """The citizen may act for this organisation already."""

    code = "agent-exists"


class AgentRefused(Forbidden):
    """The agent may act for the organisation but not authorise others."""

    code = "agent-may-not-authorise"


class PeriodRefused(InvalidInput):
    """A period ends before it begins, is over, or is longer than taken."""

    code = "period-refused"


class CertificateSuspended(Conflict):
    """The certificate is on hold already."""

    code = "certificate-suspended"


class CertificateNotSuspended(Conflict):
    """The certificate is not on hold."""

    code = "certificate-not-suspended"


class HoldOfAnother(Forbidden):
    """Somebody else put the certificate on hold; an administrator releases it."""

    code = "hold-of-another"


class PublicKeyRefused(InvalidInput):
    """The JWK is not a public P-256 key for signatures."""

    code = "public-key-refused"


class ApplicationExists(Conflict):
    """An application with this public key is registered."""

    code = "application-exists"


class ApplicationRevoked(Conflict):
    """The application is revoked already."""

    code = "application-revoked"


class ScopesRefused(InvalidInput):
    """No scope is named for the application."""

    code = "scopes-refused"


class CsrTooLarge(InvalidInput):
    """The certificate signing request is longer than any for a key we take."""

    code = "csr-too-large"


class CertificateRevoked(Conflict):
    """The certificate is revoked already."""

    code = "certificate-revoked"


class CursorRefused(InvalidInput):
    """The cursor is not one that a list gave, or the limit is out of range."""

    code = "cursor-refused"


class OAuthRefused(Malformed):
    """The token endpoint's refusal; `error` is the code of RFC 6749 §5.2."""

    code = "oauth-refused"
    INVALID_CLIENT: ClassVar[str] = "invalid_client"
    INVALID_REQUEST: ClassVar[str] = "invalid_request"
    INVALID_SCOPE: ClassVar[str] = "invalid_scope"
    UNSUPPORTED_GRANT_TYPE: ClassVar[str] = "unsupported_grant_type"

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
