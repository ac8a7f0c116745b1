"""Where a certificate stands follows from the acts upon it, whatever they are and in whatever order they came."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from trust.authority.model import ActRecord, CertificateStanding, RevocationAct, Standing

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
ACTS = st.lists(st.sampled_from(RevocationAct), max_size=12)


def after(acts: list[RevocationAct]) -> Standing:
    standing = Standing()
    for step, act in enumerate(acts, start=1):
        moment = START + timedelta(hours=step)
        standing = standing.after(ActRecord(serial="1", step=step, act=act, reason=act.value, at=moment))
    return standing


@given(ACTS, ACTS)
def test_what_was_revoked_never_comes_back_nor_changes_its_moment_or_reason(
    before: list[RevocationAct], later: list[RevocationAct]
) -> None:
    revoked = after([*before, RevocationAct.REVOKE])
    assert revoked.state is CertificateStanding.REVOKED
    whatever = after([*before, RevocationAct.REVOKE, *later])
    assert (whatever.state, whatever.since, whatever.reason) == (revoked.state, revoked.since, revoked.reason)


@given(ACTS)
def test_a_moment_and_a_reason_are_there_for_what_is_not_good_alone(acts: list[RevocationAct]) -> None:
    standing = after(acts)
    good = standing.state is CertificateStanding.GOOD
    assert (standing.since is None) is (standing.reason is None) is good
    assert standing.steps == len(acts)


@given(ACTS)
def test_a_revocation_from_hold_counts_since_the_hold(acts: list[RevocationAct]) -> None:
    before = after(acts)
    revoked = after([*acts, RevocationAct.REVOKE])
    if before.state is not CertificateStanding.GOOD:
        assert revoked.since == before.since
    else:
        assert revoked.since == START + timedelta(hours=len(acts) + 1)
