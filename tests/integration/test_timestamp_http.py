"""The authority over HTTP: what is granted, what is rejected, who may ask, and how requests are gathered."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from api.settings import SettingRefused, Settings
from api.timestamping.events import GIVEN, REQUEST_REFUSED, GivenTimestamps
from api.timestamping.gathering import CALLS_AT_ONCE, MAX_BATCH, TimestampGathering, TimestampsBusy
from identity.caller import Role, Scope
from tests.support.house import House
from tests.support.house_edge import HouseEdge
from trust.authority.timestamps import TimestampAuthority
from trust.crypto import der, der_reader
from trust.crypto.digests import Digest, digest_of, sha256
from trust.kernel.errors import Broken
from trust.kernel.report import Indication
from trust.keys.stamping_client import WantedToken
from trust.pki.profiles import TIMESTAMP_POLICY
from trust.timestamp import verify_token
from trust.timestamp.errors import FailInfo
from trust.timestamp.requests import MAX_REQUEST_BYTES, make_request
from trust.timestamp.responses import read_response, rejected
from trust.timestamp.tokens import TstInfo, parse_token

DATA = "规划许可决定书".encode()
QUERY = {"Content-Type": "application/timestamp-query"}
OTHER_POLICY = "1.3.6.1.4.1.55555.7"


@pytest.fixture
def edge(house: House) -> HouseEdge:
    return HouseEdge(house)


def ask(edge: HouseEdge, request: bytes, token: str = "") -> bytes:
    answer = edge.post("/tsa", token, content=request, headers=QUERY)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/timestamp-reply"
    return answer.content


def with_settings(house: House, **changes: Any) -> HouseEdge:
    """The edge of the same house under other settings."""
    settings = replace(house.services.settings, **changes)
    return HouseEdge(replace(house, services=replace(house.services, settings=settings)))


def test_a_token_is_over_the_imprint_as_it_was_sent_and_states_what_the_authority_states(
    edge: HouseEdge,
) -> None:
    nonce = (1 << 255) + 1
    for algorithm in (Digest.SHA256, Digest.SHA384, Digest.SHA512, Digest.SM3):
        request = make_request(digest_of(DATA, algorithm), nonce, algorithm=algorithm)
        token = read_response(ask(edge, request))
        parsed, info = parse_token(token)
        assert (info.imprint_algorithm, info.imprint) == (algorithm, digest_of(DATA, algorithm))
        assert (info.nonce, info.policy) == (nonce, TIMESTAMP_POLICY)
        assert info.accuracy is not None
        assert info.accuracy.total_seconds() == 1
        assert 100 < info.serial.bit_length() <= 127
        assert parsed.certificates
        # Ordering is absent, which says no.
        written = der_reader.read(parsed.econtent or b"").fields()
        for _field in range(6):
            written.take()
        assert written.take().integer() == nonce
        trust = edge.house.services.trust.current()
        report = verify_token(token, data=DATA, trust=trust, at=edge.house.services.clock.now())
        assert report.indication is Indication.VALID, report.reasons()


def test_certificates_come_only_where_they_are_asked_for(edge: HouseEdge) -> None:
    request = der.sequence(der.integer(1), make_request(sha256(DATA))[5:-3])
    parsed, info = parse_token(read_response(ask(edge, request)))
    assert not parsed.certificates
    assert info.nonce is None


def test_what_cannot_be_served_is_rejected_with_status_200(edge: HouseEdge) -> None:
    imprint = sha256(DATA)
    extended = der.sequence(make_request(imprint)[2:], der.context(0, der.sequence()))
    for request, fail_info in (
        (b"", FailInfo.BAD_DATA_FORMAT),
        (b"no DER", FailInfo.BAD_DATA_FORMAT),
        (make_request(imprint, policy=OTHER_POLICY), FailInfo.UNACCEPTED_POLICY),
        (make_request(imprint, 1 << 256), FailInfo.BAD_REQUEST),
        (extended, FailInfo.UNACCEPTED_EXTENSION),
        (make_request(bytes(20), algorithm=Digest.SHA1), FailInfo.BAD_ALGORITHM),
    ):
        assert ask(edge, request).endswith(der.named_bits(frozenset({int(fail_info)}))), fail_info


def test_what_is_no_request_at_all_is_a_problem_document(edge: HouseEdge) -> None:
    request = make_request(sha256(DATA))
    other = edge.post("/tsa", content=request, headers={"Content-Type": "application/octet-stream"})
    assert (other.status_code, other.json()["code"]) == (415, "unsupported-media-type")
    large = edge.post("/tsa", content=bytes(MAX_REQUEST_BYTES + 1), headers=QUERY)
    assert (large.status_code, large.json()["code"]) == (413, "too-large")
    assert edge.get("/tsa").status_code == 405


def test_without_the_signer_the_answer_is_a_system_failure_and_nothing_of_ours_is_told(
    edge: HouseEdge,
) -> None:
    edge.house.signer.stop()
    answer = ask(edge, make_request(sha256(DATA)))
    assert answer[-6:] == rejected(FailInfo.SYSTEM_FAILURE, "")[-6:]
    assert b"signer" not in answer
    edge.house.signer.start()
    assert read_response(ask(edge, make_request(sha256(DATA))))


def test_several_policies_may_be_served_and_the_first_is_the_usual(house: House) -> None:
    services = house.services
    timestamps = TimestampAuthority(
        database=services.database, signer=services.signer, policies=(TIMESTAMP_POLICY, OTHER_POLICY)
    )
    edge = HouseEdge(replace(house, services=replace(services, timestamps=timestamps)))

    def policy(request: bytes) -> str:
        return parse_token(read_response(ask(edge, request)))[1].policy

    assert policy(make_request(sha256(DATA))) == TIMESTAMP_POLICY
    assert policy(make_request(sha256(DATA), policy=OTHER_POLICY)) == OTHER_POLICY


# Who may ask.


def test_anyone_may_ask_so_often_and_an_application_with_the_scope_as_often_as_it_likes(
    house: House,
) -> None:
    edge = with_settings(house, timestamp_requests_per_minute=2)
    request = make_request(sha256(DATA))
    for _ in range(2):
        ask(edge, request)
    throttled = edge.post("/tsa", content=request, headers=QUERY)
    assert (throttled.status_code, throttled.json()["code"]) == (429, "throttled")
    assert int(throttled.headers["Retry-After"]) >= 1
    token = edge.application(house.sealing_agency().program, Scope.TIMESTAMP)
    for _ in range(4):
        ask(edge, request, token)


def test_where_only_applications_may_ask_everybody_else_is_refused_and_who_is_known_leaves_an_event(
    house: House,
) -> None:
    edge = with_settings(house, timestamp_callers="applications")
    desk = house.sealing_agency()
    request = make_request(sha256(DATA))
    others = [scope for scope in Scope if scope is not Scope.TIMESTAMP]
    staff = [edge.staff(desk.agency, role, by=desk.administrator) for role in (Role.AUDITOR, Role.ARCHIVIST)]
    for token, status in [
        ("", 401), ("nonsense", 401), (edge.citizen(), 403), *((each, 403) for each in staff),
        (edge.application(desk.program, *others), 403),
    ]:  # fmt: skip
        answer = edge.post("/tsa", token, content=request, headers=QUERY)
        assert answer.status_code == status, answer.text
    ask(edge, request, edge.application(desk.program, Scope.TIMESTAMP))
    refused = house.room.events(REQUEST_REFUSED)
    assert [(each["outcome"], each["reason"]) for each in refused] == [("refused", "scope-missing")] * 4


def test_a_setting_that_names_neither_is_refused_at_the_start() -> None:
    with pytest.raises(SettingRefused, match="anyone or applications"):
        Settings.from_environment({"YINXIN_TIMESTAMP_CALLERS": "friends"})
    assert Settings.from_environment({"YINXIN_TIMESTAMP_CALLERS": "applications"})


def test_what_was_given_is_counted_in_one_event_and_not_in_one_each(house: House) -> None:
    given = GivenTimestamps(ledger=house.services.ledger, clock=house.services.clock)
    for responses in (3, 4):
        given.count(responses)
    assert not house.room.events(GIVEN)
    given.record()
    given.record()
    (event,) = house.room.events(GIVEN)
    assert event["content"]["responses"] == 7


# Gathering.

WANTED = [WantedToken(imprint=sha256(bytes([n % 256, n // 256])), policy="1.2") for n in range(600)]


def gathered(
    respond: Callable[[Sequence[WantedToken]], list[bytes]], wanted: Sequence[WantedToken], **more: Any
) -> list[bytes | BaseException]:
    async def play() -> list[bytes | BaseException]:
        gathering = TimestampGathering(respond, **more)
        try:
            return await asyncio.gather(*map(gathering.response, wanted), return_exceptions=True)
        finally:
            gathering.close()

    return asyncio.run(play())


def test_requests_that_come_together_are_one_call_and_each_gets_its_own_answer() -> None:
    batches: list[int] = []

    def respond(wanted: Sequence[WantedToken]) -> list[bytes]:
        batches.append(len(wanted))
        return [each.imprint for each in wanted]

    assert gathered(respond, WANTED) == [each.imprint for each in WANTED]
    assert max(batches) == MAX_BATCH
    assert len(batches) < len(WANTED) / MAX_BATCH + CALLS_AT_ONCE + 1


def test_while_the_signer_is_at_work_no_more_calls_are_begun_than_its_share() -> None:
    at_work, most = 0, 0
    lock = threading.Lock()
    go = threading.Event()

    def respond(wanted: Sequence[WantedToken]) -> list[bytes]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        go.wait(0.05)
        with lock:
            at_work -= 1
        return [each.imprint for each in wanted]

    gathered(respond, WANTED)
    assert most <= CALLS_AT_ONCE


def test_where_too_many_wait_the_next_is_told_at_once_and_the_others_are_served() -> None:
    answers = gathered(lambda wanted: [each.imprint for each in wanted], WANTED[:50], most_waiting=40)
    assert [type(each) for each in answers] == [bytes] * 40 + [TimestampsBusy] * 10


def test_a_fault_reaches_everybody_of_its_batch_and_the_gathering_goes_on() -> None:
    calls = 0

    def respond(wanted: Sequence[WantedToken]) -> list[bytes]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise Broken("a fault")
        return [each.imprint for each in wanted]

    answers = gathered(respond, WANTED[: MAX_BATCH + 10])
    assert [type(each) for each in answers] == [Broken] * MAX_BATCH + [bytes] * 10


def test_who_hung_up_gets_no_token_and_costs_nobody_theirs() -> None:
    seen: list[WantedToken] = []

    def respond(wanted: Sequence[WantedToken]) -> list[bytes]:
        seen.extend(wanted)
        return [each.imprint for each in wanted]

    async def play() -> bytes:
        gathering = TimestampGathering(respond)
        gone = asyncio.ensure_future(gathering.response(WANTED[0]))
        kept = asyncio.ensure_future(gathering.response(WANTED[1]))
        await asyncio.sleep(0)
        gone.cancel()
        try:
            return await kept
        finally:
            gathering.close()

    assert asyncio.run(play()) == WANTED[1].imprint
    assert seen == [WANTED[1]]


def test_fifty_callers_at_once_get_fifty_tokens_in_far_fewer_calls(house: House) -> None:
    imprints = [sha256(bytes([number])) for number in range(50)]
    wanted = [
        WantedToken(
            imprint=imprint,
            policy=TIMESTAMP_POLICY,
            nonce=number + 1 if number % 2 else None,
            cert_req=number % 3 == 0,
        )
        for number, imprint in enumerate(imprints)
    ]
    calls: list[int] = []
    answers = gathered(house.services.timestamps.respond, wanted, given=calls.append)
    read: list[TstInfo] = []
    for asked, answer in zip(wanted, answers, strict=True):
        assert isinstance(answer, bytes)
        parsed, info = parse_token(read_response(answer))
        assert (info.nonce, bool(parsed.certificates)) == (asked.nonce, asked.cert_req)
        read.append(info)
    assert [info.imprint for info in read] == imprints
    assert len({info.serial for info in read}) == 50
    assert sum(calls) == 50
    assert len(calls) <= 3
