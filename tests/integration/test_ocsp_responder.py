"""The responder: what is signed in advance and what fresh, what it shows of an act and when, and what it refuses."""

from contextlib import closing
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from tests.support.authority_room import NAME, TESTER, AuthorityRoom, authority_room, question
from tests.support.house import House
from trust.authority.issuers import Issuers
from trust.authority.model import OCSP_LABEL, IssuedCertificate
from trust.authority.ocsp_answers import OCSP_VALIDITY
from trust.authority.ocsp_keys import RENEWED_BEFORE
from trust.authority.ocsp_responder import LOOKED_AT_EVERY, TRUSTED_UNSEEN, OcspResponder
from trust.authority.revoking import REVOCATION_REASONS
from trust.crypto import der, der_reader
from trust.crypto.digests import Digest
from trust.kernel.errors import Throttled
from trust.keys.errors import KeyNotUsable, SignerRefused
from trust.keys.model import KeyAct
from trust.keys.repository import KeyBindings
from trust.keys.stamping_client import WantedToken
from trust.pki.certificate import read_certificate
from trust.pki.crl import RevocationReason
from trust.pki.ocsp import CertificateState, OcspStatus, read_ocsp
from trust.pki.ocsp_response import CertificateStatus
from trust.storage.database import Database
from trust.storage.errors import DatabaseAway

GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
NONCE = x509.OCSPNonce(b"sixteen octets..")


@pytest.fixture
def room(house: House) -> AuthorityRoom:
    made = authority_room(house)
    made.responders.ensure_all()
    return made


def no_leave() -> None:
    raise Throttled("enough", retry_after=1)


def prepared(room: AuthorityRoom) -> IssuedCertificate:
    """A certificate whose answer was signed in advance."""
    issued = room.issued()
    assert room.revocations.renew_answers()
    return issued


def test_a_good_certificate_is_answered_in_advance_by_either_usual_digest(room: AuthorityRoom) -> None:
    issued = prepared(room)
    for algorithm in (hashes.SHA1(), hashes.SHA256()):
        asked = question(issued, algorithm=algorithm)
        reply = room.responder.answer(asked, leave=no_leave)
        assert room.responder.at_hand(asked) == reply
        answer = ocsp.load_der_ocsp_response(reply.der)
        assert answer.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
        assert answer.certificate_status is GOOD
        assert answer.serial_number == int(issued.serial, 16)
        assert isinstance(answer.hash_algorithm, type(algorithm))
        assert answer.next_update_utc == answer.this_update_utc + OCSP_VALIDITY
        assert (reply.this_update, reply.next_update) == (answer.this_update_utc, answer.next_update_utc)


def test_the_answer_is_signed_by_a_responder_that_the_issuer_certified_for_nothing_else(
    room: AuthorityRoom,
) -> None:
    issued = prepared(room)
    answer = room.answered(question(issued))
    (responder,) = answer.certificates
    responder.verify_directly_issued_by(x509.load_der_x509_certificate(issued.chain[0]))
    key = responder.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    usage = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING]
    assert responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert answer.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(key).digest


def test_a_nonce_is_echoed_in_an_answer_signed_fresh_that_nobody_may_keep(room: AuthorityRoom) -> None:
    issued = prepared(room)
    for octets in (b"n", b"n" * 32, b"n" * 128):
        asked = question(issued, extensions=[x509.OCSPNonce(octets)])
        assert room.responder.at_hand(asked) is None
        reply = room.responder.answer(asked)
        answer = ocsp.load_der_ocsp_response(reply.der)
        assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == octets
        assert answer.certificate_status is GOOD
        assert (reply.etag, reply.next_update) == ("", None)


def test_a_revoked_certificate_is_revoked_on_list_and_in_answers_for_every_reason(
    room: AuthorityRoom,
) -> None:
    by_reason = {reason: room.issued() for reason in sorted(REVOCATION_REASONS)}
    assert len(by_reason) == 8
    room.revocations.renew_answers()
    for reason, issued in by_reason.items():
        assert room.answered(question(issued)).certificate_status is GOOD
        room.revoke(issued, reason=reason)
    assert room.refresh()
    room.clock.advance(LOOKED_AT_EVERY)
    listed = room.listed()
    for reason, issued in by_reason.items():
        given = None if reason == "unspecified" else RevocationReason[reason.upper().replace("-", "_")]
        for asked in (question(issued), question(issued, extensions=[NONCE])):
            single = read_ocsp(room.reply(asked).der).responses[0]
            assert (single.state, single.reason) == (CertificateState.REVOKED, given)
            assert single.revoked_at == room.certificates.find(issued.serial).revoked_at
        assert (listed[issued.serial] is None) is (given is None)


def test_another_process_shows_what_was_revoked_within_a_second_though_it_answered_good_before(
    room: AuthorityRoom,
) -> None:
    issued = prepared(room)
    other = room.another_responder()
    asked = question(issued)
    assert read_ocsp(other.answer(asked).der).responses[0].state is CertificateState.GOOD
    assert other.at_hand(asked) is not None
    room.revoke(issued)
    room.refresh()
    room.clock.advance(LOOKED_AT_EVERY)
    assert other.at_hand(asked) is None, "answered from memory without looking"
    assert read_ocsp(other.answer(asked).der).responses[0].state is CertificateState.REVOKED


def test_what_was_read_before_an_act_and_kept_after_it_is_not_given_again(room: AuthorityRoom) -> None:
    issued = prepared(room)
    asked = question(issued)
    room.reply(question(issued, extensions=[NONCE]))  # nothing is in memory yet, but the issuers are known

    class Interrupted(Database):
        """Between reading the answer and keeping it, another thread sees the act."""

        def read_once(self, statement, parameters=None):  # type: ignore[no-untyped-def]
            rows = super().read_once(statement, parameters)
            if rows and "sha256" in rows[0]._mapping and pending:
                pending.pop()
                room.revoke(issued)
                room.refresh()
                room.clock.advance(LOOKED_AT_EVERY)
                responder._look()
            return rows

    pending = [True]
    settings = room.house.services.settings
    with closing(Interrupted(settings.database_url, settings.database_read_url)) as database:
        responder = OcspResponder(database=database, signer=room.house.services.signer, clock=room.clock)
        responder._look()
        responder.answer(asked)
        assert not pending
        again = responder.at_hand(asked) or responder.answer(asked)
    assert read_ocsp(again.der).responses[0].state is CertificateState.REVOKED


def test_more_changes_at_once_than_are_looked_at_one_by_one_lose_none(
    room: AuthorityRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trust.authority.ocsp_responder._MAX_CHANGES", 1)
    issued = [room.issued() for _ in range(3)]
    room.revocations.renew_answers()
    for each in issued:
        assert room.answered(question(each)).certificate_status is GOOD
        room.revoke(each)
    room.refresh()
    room.clock.advance(LOOKED_AT_EVERY)
    assert {room.answered(question(each)).certificate_status for each in issued} == {REVOKED}


def test_on_hold_is_revoked_for_now_and_good_after_the_release(room: AuthorityRoom) -> None:
    issued = prepared(room)
    room.revoking.hold(issued.serial, actor=TESTER)
    room.refresh()
    room.clock.advance(LOOKED_AT_EVERY)
    answer = room.answered(question(issued))
    assert answer.certificate_status is REVOKED
    assert answer.revocation_reason is x509.ReasonFlags.certificate_hold
    room.revoking.release(issued.serial, actor=TESTER)
    room.refresh()
    room.clock.advance(LOOKED_AT_EVERY)
    assert room.answered(question(issued)).certificate_status is GOOD


def test_a_serial_that_was_never_issued_is_unknown_and_one_that_was_given_up_is_revoked(
    room: AuthorityRoom,
) -> None:
    issued = prepared(room)
    for serial in (1, 2**127 + 1):
        assert room.answered(question(issued, serial=serial)).certificate_status is UNKNOWN
    room.house.signer.stop()
    with pytest.raises(Exception, match="signer"):
        room.issued()
    room.house.signer.start()
    room.clock.advance(timedelta(minutes=5))
    assert room.certificates.resolve() == 1
    room.refresh()
    (abandoned,) = room.listed().keys()
    assert room.answered(question(issued, serial=int(abandoned, 16))).certificate_status is REVOKED


def test_answers_about_another_authoritys_certificates_are_nobodys_here_to_give(room: AuthorityRoom) -> None:
    issued = prepared(room)
    stranger = bytearray(question(issued))
    stranger[-30] ^= 1
    assert room.reply(bytes(stranger)).status is OcspStatus.UNAUTHORIZED
    mixed = read_both(question(issued), bytes(stranger))
    assert room.reply(mixed).status is OcspStatus.UNAUTHORIZED


def test_several_certificates_of_one_issuer_are_answered_together(room: AuthorityRoom) -> None:
    first, second = prepared(room), room.issued()
    room.revoke(second)
    reply = room.reply(read_both(question(first), question(second)))
    singles = read_ocsp(reply.der).responses
    assert [(f"{each.cert_id.serial:x}", each.state) for each in singles] == [
        (first.serial, CertificateState.GOOD),
        (second.serial, CertificateState.REVOKED),
    ]


def test_longer_digests_are_answered_by_the_same_digest(room: AuthorityRoom) -> None:
    issued = prepared(room)
    for algorithm in (hashes.SHA384(), hashes.SHA512()):
        answer = room.answered(question(issued, algorithm=algorithm))
        assert isinstance(answer.hash_algorithm, type(algorithm))
        assert answer.certificate_status is GOOD


def test_what_cannot_be_read_is_a_malformed_request(room: AuthorityRoom) -> None:
    issued = prepared(room)
    good = question(issued)
    room.reply(good)
    for octets in (
        b"",
        b"\x30\x00",
        good[:-1],
        good + b"\x00",
        bytes(9000),
        question(issued, extensions=[x509.OCSPNonce(b"")]),
        question(issued, extensions=[x509.OCSPNonce(bytes(129))]),
        read_both(*[good] * 21),
    ):
        for reply in (room.responder.answer(octets), room.reply(octets)):
            assert reply.status is OcspStatus.MALFORMED_REQUEST
            assert ocsp.load_der_ocsp_response(reply.der).response_status is (
                ocsp.OCSPResponseStatus.MALFORMED_REQUEST
            )


def test_whoever_had_enough_signed_gets_the_answer_signed_in_advance_or_is_told_to_wait(
    room: AuthorityRoom,
) -> None:
    issued = prepared(room)
    answer = read_ocsp(room.responder.answer(question(issued, extensions=[NONCE]), leave=no_leave).der)
    assert answer.responses[0].state is CertificateState.GOOD
    with pytest.raises(Throttled):
        room.responder.answer(question(issued, serial=7), leave=no_leave)


def test_a_signer_that_refuses_is_an_internal_error_and_no_problem_document(
    room: AuthorityRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = prepared(room)

    def refuse(*_arguments: object, **_more: object) -> None:
        raise KeyNotUsable("the signer holds no such key")

    monkeypatch.setattr(room.house.services.signer, "sign_ocsp_batch", refuse)
    assert room.reply(question(issued, serial=7)).status is OcspStatus.INTERNAL_ERROR


def test_while_the_signer_is_away_what_is_signed_in_advance_is_answered_and_the_rest_is_to_come_later(
    room: AuthorityRoom,
) -> None:
    issued = prepared(room)
    room.reply(question(issued))
    room.house.signer.stop()
    assert room.answered(question(issued)).certificate_status is GOOD
    assert room.answered(question(issued, extensions=[NONCE])).certificate_status is GOOD
    assert room.reply(question(issued, serial=7)).status is OcspStatus.TRY_LATER


def test_while_the_database_is_away_answers_in_memory_hold_for_a_while_and_no_longer(
    room: AuthorityRoom,
) -> None:
    issued = prepared(room)
    settings = room.house.services.settings
    database = Switched(settings.database_url, settings.database_read_url)
    with closing(database):
        responder = OcspResponder(database=database, signer=room.house.services.signer, clock=room.clock)
        responder.answer(question(issued))
        database.away = True
        room.clock.advance(TRUSTED_UNSEEN - timedelta(seconds=1))
        assert responder.answer(question(issued)).status is OcspStatus.SUCCESSFUL
        room.clock.advance(timedelta(seconds=2))
        assert responder.answer(question(issued)).status is OcspStatus.TRY_LATER
        database.away = False
        assert responder.answer(question(issued)).status is OcspStatus.SUCCESSFUL


def test_answers_are_signed_again_after_half_their_time_and_forgotten_when_the_certificate_has_ended(
    room: AuthorityRoom,
) -> None:
    issued = room.issued(validity=timedelta(days=2))
    room.revocations.renew_answers()
    assert room.revocations.renew_answers() == 0
    first = room.reply(question(issued))
    room.clock.advance(OCSP_VALIDITY / 2)
    assert room.revocations.renew_answers() > 0
    room.clock.advance(LOOKED_AT_EVERY)
    second = room.reply(question(issued))
    assert second.this_update is not None
    assert first.this_update is not None
    assert second.this_update >= first.this_update + OCSP_VALIDITY / 2
    room.clock.advance(timedelta(days=2))
    room.revocations.renew_answers()
    with pytest.raises(Throttled):  # nothing in advance any more
        room.responder.answer(question(issued), leave=no_leave)
    late = read_ocsp(room.responder.answer(question(issued)).der).responses[0]
    assert late.state is CertificateState.GOOD
    assert late.archive_cutoff is not None
    assert late.archive_cutoff <= issued.not_before


def test_the_responders_key_is_renewed_before_it_ends_and_answers_go_on(room: AuthorityRoom) -> None:
    issued = prepared(room)

    def ends() -> object:
        with room.house.services.database.read() as work:
            bound = KeyBindings(work).require(f"{OCSP_LABEL}identity")
        assert bound.certificate is not None
        return read_certificate(bound.certificate).not_after

    assert room.responders.ensure_all() == 0
    before = ends()
    room.clock.advance(timedelta(days=30) - RENEWED_BEFORE)
    assert room.responders.ensure_all() > 0
    assert ends() > before  # type: ignore[operator]
    room.revocations.renew_answers()
    assert room.answered(question(issued, extensions=[NONCE])).certificate_status is GOOD
    assert room.answered(question(issued)).certificate_status is GOOD


def test_each_generation_is_answered_for_by_a_responder_of_its_own(room: AuthorityRoom) -> None:
    old = prepared(room)
    room.renew_the_key()
    new = room.issued()
    room.clock.advance(LOOKED_AT_EVERY)
    assert room.reply(question(new)).status is OcspStatus.UNAUTHORIZED  # no responder is certified yet
    assert room.responders.ensure_all() == 1
    room.clock.advance(LOOKED_AT_EVERY)
    room.revoke(old)
    room.revoke(new)
    for issued in (old, new):
        answer = room.answered(question(issued, extensions=[NONCE]))
        (responder,) = answer.certificates
        responder.verify_directly_issued_by(x509.load_der_x509_certificate(issued.chain[0]))
        assert answer.certificate_status is REVOKED


class Switched(Database):
    """A database that can be away."""

    away = False

    def read(self):  # type: ignore[no-untyped-def]
        return super().read() if not self.away else self._gone()

    def read_once(self, statement, parameters=None):  # type: ignore[no-untyped-def]
        return super().read_once(statement, parameters) if not self.away else self._gone()

    def _gone(self):  # type: ignore[no-untyped-def]
        raise DatabaseAway("away")


def read_both(*requests: bytes) -> bytes:
    """One request about everything that these ask about."""
    singles = [
        child.encoded
        for octets in requests
        for child in der_reader.read(octets).children()[0].children()[0].children()
    ]
    return der.sequence(der.sequence(der.sequence(*singles)))


def test_the_signer_lets_no_other_key_answer_and_a_responders_key_do_nothing_else(
    room: AuthorityRoom,
) -> None:
    signer, now = room.house.services.signer, room.clock.now()
    with room.house.services.database.read() as work:
        keys = {
            label: KeyBindings(work).require(label).key_id
            for label in ("authority/identity", "service/timestamp", f"{OCSP_LABEL}identity")
        }
    later = now + timedelta(days=1)
    for label in ("authority/identity", "service/timestamp"):
        with pytest.raises(KeyNotUsable):
            signer.sign_ocsp_batch(keys[label], [], this_update=now, next_update=later)
    responder = keys[f"{OCSP_LABEL}identity"]
    with pytest.raises(KeyNotUsable):
        signer.sign_crl(responder, number=1, this_update=now, next_update=later, revoked=[])
    with pytest.raises(KeyNotUsable):
        signer.stamping.token(responder, WantedToken(imprint=bytes(32), policy="1.2.3"))
    good = CertificateStatus(digest=Digest.SHA1, serial=1, state=CertificateState.GOOD)
    with pytest.raises(SignerRefused):
        signer.sign_ocsp_batch(responder, [(None, [good])] * 1001, this_update=now, next_update=later)


def test_an_act_is_in_the_answers_although_the_list_cannot_be_signed(room: AuthorityRoom) -> None:
    issued = prepared(room)
    assert room.answered(question(issued)).certificate_status is GOOD
    with room.house.services.database.read() as work:
        key_id = Issuers(work).current(NAME).key_id
    keys = room.house.services.keys
    keys.act(KeyAct.SUSPEND, key_id, actor=TESTER, reason="为试验")
    room.revoke(issued, reason="key-compromise")
    with pytest.raises(KeyNotUsable):
        room.refresh()
    room.clock.advance(LOOKED_AT_EVERY)
    assert room.answered(question(issued)).certificate_status is REVOKED
    keys.act(KeyAct.RESUME, key_id, actor=TESTER, reason="为试验")
    assert room.refresh()
