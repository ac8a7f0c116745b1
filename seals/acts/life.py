"""Suspending (loss reported, 挂失), reinstating and revoking a seal; its certificate follows.

The certificate goes first, while the seal's row is locked: it is put on hold before the seal says suspended, and
released before it says active. A crash in between leaves a seal that does less than it says, and repeating the act
completes it.
"""

from collections.abc import Callable

from identity.caller import Caller, Role
from seals.acts.rights import refused, role_required
from seals.errors import SamePersonRefused
from seals.events import SEAL_REINSTATED, SEAL_REVOKED, SEAL_SUSPENDED
from seals.model import SEAL_STEPS, Seal, SealState
from seals.ports import SealAuthority
from seals.repository import Seals
from trust.kernel.text import paragraph
from trust.ledger.ledger import Ledger
from trust.ledger.model import Event


class SealLife:
    """The acts that change whether a seal can be used."""

    def __init__(self, *, ledger: Ledger, authority: SealAuthority) -> None:
        self._ledger = ledger
        self._authority = authority

    def suspend(self, caller: Caller, seal_id: str, *, reason: str) -> Seal:
        """At once and by one person: a lost seal waits for nobody. The certificate is on hold until then."""
        return self._become(
            caller,
            seal_id,
            SealState.SUSPENDED,
            act=SEAL_SUSPENDED,
            roles=(Role.SEAL_OFFICER, Role.SEAL_APPROVER),
            reason=reason,
            certificate=lambda seal: self._authority.hold(seal.serial),
        )

    def reinstate(self, caller: Caller, seal_id: str, *, reason: str) -> Seal:
        """By an approver, another natural person than the one who suspended it."""

        def require_second_person(seal: Seal) -> None:
            if seal.suspended_by == caller.require_person():
                raise refused(
                    SamePersonRefused("whoever suspended a seal cannot reinstate it; ask a second person"),
                    caller,
                    act=SEAL_REINSTATED,
                    subject=seal.id,
                )

        return self._become(
            caller,
            seal_id,
            SealState.ACTIVE,
            act=SEAL_REINSTATED,
            roles=(Role.SEAL_APPROVER,),
            reason=reason,
            check=require_second_person,
            certificate=lambda seal: self._authority.release(seal.serial),
        )

    def revoke(self, caller: Caller, seal_id: str, *, reason: str) -> Seal:
        """For good."""
        return self._become(
            caller,
            seal_id,
            SealState.REVOKED,
            act=SEAL_REVOKED,
            roles=(Role.SEAL_APPROVER,),
            reason=reason,
            certificate=lambda seal: self._authority.revoke(seal.serial, reason="cessation-of-operation"),
        )

    def _become(
        self,
        caller: Caller,
        seal_id: str,
        state: SealState,
        *,
        act: str,
        roles: tuple[Role, ...],
        reason: str,
        certificate: Callable[[Seal], None],
        check: Callable[[Seal], None] = lambda _seal: None,
    ) -> Seal:
        role_required(caller, *roles, act=act, ledger=self._ledger, subject=seal_id)
        agency_id = caller.require_agency()
        with self._ledger.work() as work:
            seals = Seals(work)
            seal = seals.get(seal_id, agency_id=agency_id, lock=True)
            check(seal)
            SEAL_STEPS.require(seal.state, state)
            why = paragraph(reason, what="the reason")
            certificate(seal)
            suspended_by = caller.require_person() if state is SealState.SUSPENDED else None
            seals.become(seal.id, state, suspended_by=suspended_by)
            work.record(
                Event(
                    act=act,
                    actor=caller.actor(),
                    subject=seal.id,
                    agency=agency_id,
                    content={"reason": why},
                )
            )
            return seals.get(seal_id, agency_id=agency_id)
