"""The ids of identity, a type for each kind of thing."""

from typing import TypeVar

from trust.kernel.errors import NotFound
from trust.kernel.ids import Id

IdT = TypeVar("IdT", bound=Id)


class PersonId(Id):
    """A natural person, whatever accounts they have."""

    prefix = "person"


class AgencyId(Id):
    """A government agency (部门): the owner of rows."""

    prefix = "agency"


class ServiceItemId(Id):
    """A kind of matter an agency handles (事项)."""

    prefix = "item"


class StaffId(Id):
    """A member of staff's account at one agency."""

    prefix = "staff"


class CitizenId(Id):
    """A citizen's account."""

    prefix = "citizen"


class OrganisationId(Id):
    """A legal person or other organisation (法人、其他组织)."""

    prefix = "org"


class ApplicationId(Id):
    """An application, such as an approval system (审批系统)."""

    prefix = "app"


class SessionId(Id):
    """A signed-in person's session."""

    prefix = "session"


class EnrolmentId(Id):
    """A one-time invitation to set up an account."""

    prefix = "enrol"


class AgentId(Id):
    """One authorisation of a citizen to act for an organisation (经办人)."""

    prefix = "agent"


class CertificateRequestId(Id):
    """One request for a certificate; the certificate itself is known by its serial number."""

    prefix = "certreq"


def known_id(kind: type[IdT], text: str) -> IdT:
    """The id a caller named; raises NotFound where it cannot be the id of such a thing."""
    try:
        return kind.parse(text)
    except ValueError:
        raise NotFound(f"there is no {kind.prefix} of this id") from None
