"""Every role against every act of identity: who may not is refused, and the ledger keeps that."""

from collections.abc import Callable

import pytest
from joserfc.jwk import ECKey

from identity.caller import Caller, CallerKind, KindRefused, Role, RoleMissing, Scope
from identity.ids import AgencyId, ApplicationId, StaffId
from identity.model import OrganisationKind, PageRequest
from tests.support.identity import IdentityRoom, resident_number, uscc
from trust.storage.database import Database

PLATFORM, AGENCY = Role.PLATFORM_ADMINISTRATOR, Role.AGENCY_ADMINISTRATOR


class Scene:
    """An agency with somebody of every role, a citizen, an application, and things to act on."""

    def __init__(self, room: IdentityRoom) -> None:
        self.room = room
        self.desk = room.desk
        self._person = 7000
        self.agency, chief = room.agency()
        self.victim = StaffId(room.staff(chief, Role.AUDITOR).account_id)
        self.program = room.program(chief)
        self.callers: dict[str, Caller] = {PLATFORM: room.administrator, AGENCY: chief}
        for role in Role:
            if role not in self.callers:
                self.callers[role] = room.staff(chief, role)
        self.callers["citizen"] = room.citizen()
        self.callers["application"] = Caller(
            kind=CallerKind.APPLICATION,
            account_id=self.program.application.id,
            agency_id=self.agency.id,
            scopes=frozenset(Scope),
        )

    def next_person(self) -> None:
        """The next invitation is for somebody else."""
        self._person += 1

    def create_agency(self, caller: Caller) -> object:
        return self.desk.agencies.create(
            caller, uscc=uscc(5000, "11"), code="NEW", name_zh="新", name_en="New"
        )

    def add_item(self, caller: Caller) -> object:
        return self.desk.agencies.add_item(
            caller, AgencyId(self.agency.id), code="NEW", name_zh="新", name_en="New"
        )

    def invite_officer(self, caller: Caller) -> object:
        return self._invite(caller, Role.SEAL_OFFICER, self.agency.id)

    def invite_administrator(self, caller: Caller) -> object:
        return self._invite(caller, AGENCY, self.agency.id)

    def invite_platform_administrator(self, caller: Caller) -> object:
        return self._invite(caller, PLATFORM, None)

    def list_staff(self, caller: Caller) -> object:
        return self.desk.staff.list(caller, PageRequest())

    def deactivate(self, caller: Caller) -> object:
        return self.desk.staff.deactivate(caller, self.victim)

    def register_organisation(self, caller: Caller) -> object:
        return self.desk.organisations.register(
            caller, uscc=uscc(6000), name="某公司", kind=OrganisationKind.LEGAL_PERSON
        )

    def register_application(self, caller: Caller) -> object:
        key = ECKey.generate_key("P-256").as_dict(private=False)
        return self.desk.applications.register(
            caller, name="系统", public_jwk=key, scopes=frozenset({Scope.SEAL_USE})
        )

    def list_applications(self, caller: Caller) -> object:
        return self.desk.applications.list(caller, PageRequest())

    def revoke_application(self, caller: Caller) -> object:
        return self.desk.applications.revoke(caller, ApplicationId(self.program.application.id))

    def _invite(self, caller: Caller, role: Role, agency_id: AgencyId | None) -> object:
        return self.desk.staff.invite(
            caller,
            name="新人",
            resident_id_number=resident_number(self._person),
            roles=frozenset({role}),
            agency_id=agency_id,
        )


# The act, who may do it, and the act under which a refusal is kept (reading is not recorded).
TABLE: dict[str, tuple[Callable[[Scene, Caller], object], set[str], str | None]] = {
    "create an agency": (Scene.create_agency, {PLATFORM}, "agency.refused"),
    "add a service item": (Scene.add_item, {AGENCY}, "service-item.refused"),
    "invite a seal officer": (Scene.invite_officer, {AGENCY}, "staff.refused"),
    "invite an agency administrator": (Scene.invite_administrator, {PLATFORM, AGENCY}, "staff.refused"),
    "invite a platform administrator": (Scene.invite_platform_administrator, {PLATFORM}, "staff.refused"),
    "list staff": (Scene.list_staff, {PLATFORM, AGENCY, Role.AUDITOR}, None),
    "deactivate staff": (Scene.deactivate, {AGENCY}, "staff.refused"),
    "register an organisation": (Scene.register_organisation, {"citizen"}, "organisation.refused"),
    "register an application": (Scene.register_application, {AGENCY}, "application.refused"),
    "list applications": (
        Scene.list_applications,
        {PLATFORM, AGENCY, Role.AUDITOR, Role.SEAL_OFFICER},
        None,
    ),
    "revoke an application": (Scene.revoke_application, {AGENCY}, "application.refused"),
}


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(IdentityRoom.open(database))


def test_whoever_may_not_do_an_act_is_refused_and_the_ledger_keeps_it(scene: Scene) -> None:
    done: list[tuple[str, str]] = []
    expected: dict[str, list[tuple[str, str]]] = {}
    for act, (attempt, allowed, kept_as) in TABLE.items():
        for name, caller in scene.callers.items():
            if name in allowed:
                continue
            try:
                attempt(scene, caller)
            except (RoleMissing, KindRefused):
                if kept_as is not None:
                    expected.setdefault(kept_as, []).append((caller.account_id, "refused"))
            else:
                done.append((act, name))
    assert done == []
    kept = {
        act: [(event["actor_id"], event["outcome"]) for event in scene.room.events(act)] for act in expected
    }
    assert kept == expected


@pytest.mark.parametrize("name", [PLATFORM, AGENCY, "citizen"])
def test_whoever_may_do_an_act_can(scene: Scene, name: str) -> None:
    for attempt, allowed, _ in TABLE.values():
        if name in allowed:
            attempt(scene, scene.callers[name])
            scene.next_person()
