"""Asks every list and answer at hand about the certificates of a path, and whether their signers are believed.

A list is signed by the authority above the certificate, or by another key that leads to the same anchor: the same
authority's key for lists, its new or old key, or an indirect CRL issuer (RFC 5280 §6.3.3 (f)). An answer is signed
by that authority, or by a responder whose certificate it issued itself (RFC 6960 §4.2.2.2).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from trust.crypto.policy import AlgorithmPolicy
from trust.crypto.schemes import Scheme
from trust.kernel.report import Outcome
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.distinguished_names import PreparedName
from trust.pki.errors import CertificateMalformed, CrlMalformed
from trust.pki.ocsp import CertificateState, OcspAnswer
from trust.pki.path_constraints import judge_constraints
from trust.pki.path_search import CertificatePath, CertificatePool, PathSearch
from trust.pki.policy_graph import NO_POLICY_ASKED
from trust.pki.purposes import Purpose, usage_problems
from trust.pki.revocation import RevocationAnswer, RevocationState, Statement, conclude
from trust.pki.revocation_list import Crl
from trust.pki.revocation_statements import (
    AuthenticList,
    Signer,
    builds_on,
    combined,
    of_answer,
    of_delta_alone,
    of_list,
)
from trust.pki.usages import KeyUsage

# Clocks of two parties who both keep time differ by less; what was made later than that is not heard.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Keys other than the authority's own that are tried on lists and answers, in one call.
MAX_SIGNERS_TRIED = 100
# A list's signer needs a list, whose signer needs a list: real ones end after one such step.
MAX_SIGNER_DEPTH = 3


# A signer's certificate, what it signs, when it did, and the path above the certificate that is asked about.
_Question: TypeAlias = tuple[Certificate, Purpose, datetime, CertificatePath]


class RevocationDesk:
    """Answers for one call of path validation; what it found out about signers it keeps until the end of that."""

    def __init__(
        self,
        *,
        pool: CertificatePool,
        own_lists: Mapping[PreparedName, Sequence[Crl]],
        lists: Sequence[Crl],
        answers: Sequence[OcspAnswer],
        at: datetime,
        now: datetime | None,
        policy: AlgorithmPolicy,
    ) -> None:
        """`own_lists` are the verifier's, by issuer; `lists` and `answers` were handed in.

        `at` is the moment that is judged, also of algorithms; sources made after `now` are not heard.
        """
        self._pool = pool
        self._at = at
        self._latest = None if now is None else now + CLOCK_TOLERANCE
        self._policy = policy
        self._own_lists = own_lists
        self._lists: dict[PreparedName, list[Crl]] = {}
        for each in dict.fromkeys(lists):
            self._lists.setdefault(each.issuer_name, []).append(each)
        self._answers: dict[int, list[OcspAnswer]] = {}
        for answer in answers:
            for serial in {each.cert_id.serial for each in answer.responses}:
                self._answers.setdefault(serial, []).append(answer)
        self._judged: dict[_Question, Signer | None] = {}
        self._open: list[_Question] = []
        self._signers_left = MAX_SIGNERS_TRIED

    def ask(
        self,
        path: CertificatePath,
        *,
        at: datetime | None = None,
        silent_until: datetime | None = None,
        for_tokens: bool = False,
    ) -> RevocationAnswer:
        """About the first certificate of a path, which the second issued; `at` where it is not the call's moment.

        Silence has to reach until `silent_until`, where that is later.
        """
        moment = self._at if at is None else at
        until = moment if silent_until is None else max(moment, silent_until)
        notes: list[str] = []
        try:
            statements = [*self._from_answers(path, until, notes), *self._from_lists(path, until, notes)]
        except CrlMalformed as error:
            # There is an entry about the certificate: whatever it says, no silence of another source is its answer.
            return RevocationAnswer(state=RevocationState.UNKNOWN, detail=error.message)
        answer = conclude(statements, moment, for_tokens=for_tokens)
        if answer.state is not RevocationState.UNKNOWN or not notes:
            return answer
        return RevocationAnswer(
            state=answer.state, detail=f"{answer.detail} ({'; '.join(dict.fromkeys(notes))})"
        )

    # Lists.

    def _from_lists(self, path: CertificatePath, at: datetime, notes: list[str]) -> Iterator[Statement]:
        certificate = path[0]
        complete: list[AuthenticList] = []
        deltas: list[AuthenticList] = []
        for crl in self._lists_for(certificate):
            reasons = crl.reasons_about(certificate)
            if not reasons or self._is_of_the_future(crl.this_update):
                continue
            signer = self._signerof_list(crl, path, notes)
            if signer is None:
                continue
            if not crl.is_understood:
                notes.append("a list has a critical extension that is not processed")
            else:
                found = AuthenticList(crl=crl, signer=signer, reasons=reasons)
                (complete if crl.base_number is None else deltas).append(found)
        for delta in deltas:
            yield of_delta_alone(delta, delta.crl.entry_of(certificate))
        for base in complete:
            entry = base.crl.entry_of(certificate)
            yield of_list(base, certificate, at, entry)
            for delta in deltas:
                if builds_on(delta, base):
                    both = combined(entry, delta.crl.entry_of(certificate))
                    yield of_list(delta, certificate, at, both, base)

    def _lists_for(self, certificate: Certificate) -> Iterator[Crl]:
        issuers = [certificate.issuer_name]
        for point in certificate.distribution_points:
            issuers += [each.directory for each in point.crl_issuer if each.directory is not None]
        for issuer in dict.fromkeys(issuers):
            own = self._own_lists.get(issuer, ())
            yield from own
            yield from (each for each in self._lists.get(issuer, ()) if each not in own)

    def _signerof_list(self, crl: Crl, path: CertificatePath, notes: list[str]) -> Signer | None:
        above = path[1]
        if crl.issuer_name == above.subject_name and _may_sign_lists(above) and crl.is_signed_by(above.spki):
            return self._if_trusted(crl.scheme, Signer(spki=above.spki, key=above.key), notes)
        for candidate in self._pool.named(crl.issuer_name):
            if candidate.spki == above.spki or not _may_sign_lists(candidate):
                continue
            if not self._may_try() or not crl.is_signed_by(candidate.spki):
                continue
            signer = self._judge_list_signer(candidate, path, crl.this_update)
            if signer is not None:
                return self._if_trusted(crl.scheme, signer, notes)
        notes.append("a list that names its authority is not signed by a key that leads to the same anchor")
        return None

    # Answers.

    def _from_answers(self, path: CertificatePath, at: datetime, notes: list[str]) -> Iterator[Statement]:
        certificate, above = path[0], path[1]
        for answer in self._answers.get(certificate.serial, ()):
            singles = answer.about(certificate, above)
            if not singles or self._is_of_the_future(answer.produced_at):
                continue
            if answer.unprocessed:
                notes.append("an answer has a critical extension that is not processed")
                continue
            signer = self._signerof_answer(answer, path, notes)
            if signer is None:
                continue
            for single in singles:
                if single.state is CertificateState.UNKNOWN:
                    notes.append("the responder does not know the certificate")
                else:
                    yield of_answer(answer, single, signer, certificate, at)

    def _signerof_answer(self, answer: OcspAnswer, path: CertificatePath, notes: list[str]) -> Signer | None:
        above = path[1]
        if answer.names(above) and answer.is_signed_by(above.spki):
            return self._if_trusted(answer.scheme, Signer(spki=above.spki, key=above.key), notes)
        for candidate in self._responders(answer, above):
            if not self._may_try() or not answer.is_signed_by(candidate.spki):
                continue
            signer = self._judge_responder((candidate, *path[1:]), path, answer.produced_at)
            if signer is not None:
                return self._if_trusted(answer.scheme, signer, notes)
        notes.append("an answer is not signed by the authority or a responder that it certified for it")
        return None

    def _responders(self, answer: OcspAnswer, above: Certificate) -> Iterator[Certificate]:
        """Certificates that the authority issued and the answer names, from the answer or from what is at hand."""
        at_hand = () if answer.responder_name is None else self._pool.named(answer.responder_name)
        for candidate in dict.fromkeys((*_readable(answer.certificates), *at_hand)):
            if candidate.issuer_name == above.subject_name and answer.names(candidate):
                yield candidate

    # Signers.

    def _judge_responder(self, path: CertificatePath, main: CertificatePath, made: datetime) -> Signer | None:
        """A responder whose certificate the authority itself issued."""

        def judge() -> Signer | None:
            if not self._pool.verify(path[0], path[1]):
                return None
            return self._judge_signer_path(path, main, made, Purpose.OCSP_SIGNING)

        return self._once((path[0], Purpose.OCSP_SIGNING, made, main[1:]), judge)

    def _judge_list_signer(
        self, candidate: Certificate, main: CertificatePath, made: datetime
    ) -> Signer | None:
        """Another key than the authority's: its own path has to end in the same anchor (RFC 5280 §6.3.3 (f))."""

        def judge() -> Signer | None:
            for own in PathSearch(self._pool, at=made).paths(candidate):
                if own[-1] == main[-1] and _is_in_its_own_name(own, main):
                    signer = self._judge_signer_path(own, main, made, Purpose.CRL_SIGNING)
                    if signer is not None:
                        return signer
            return None

        return self._once((candidate, Purpose.CRL_SIGNING, made, main[1:]), judge)

    def _once(self, question: _Question, judge: Callable[[], Signer | None]) -> Signer | None:
        """The answer found before, or now; none to a question that is asked in order to answer itself."""
        if question in self._judged:
            return self._judged[question]
        if question in self._open:
            return _by_its_own_word(question[0])
        if len(self._open) >= MAX_SIGNER_DEPTH:
            return None
        self._open.append(question)
        try:
            self._judged[question] = judge()
        finally:
            self._open.pop()
        return self._judged[question]

    def _judge_signer_path(
        self, path: CertificatePath, main: CertificatePath, made: datetime, purpose: Purpose
    ) -> Signer | None:
        """Whether a signer was to be believed when it signed; what the main path shares with it is judged there.

        It must have been valid when the source was made and not revoked by the moment judged, nor later for a reason
        that spoils what it signed before.
        """
        beside = [each for each in path if each not in main]
        if not all(each.not_before <= made <= each.not_after for each in beside):
            return None
        if judge_constraints(path, NO_POLICY_ASKED).problems or usage_problems(path[0], path[1:], purpose):
            return None
        statements: list[Statement] = []
        for position, (each, above) in enumerate(pairwise(path)):
            if each not in beside:
                break
            trusted = self._policy.check_signature(each.scheme, above.key, self._at)
            if trusted.outcome is not Outcome.PASSED:
                return None
            # RFC 6960 §4.2.2.2.1: its authority has said that this responder is not to be asked about.
            if purpose is Purpose.OCSP_SIGNING and position == 0 and each.extensions.ocsp_no_check:
                continue
            until = min(max(self._at, made), each.not_after)
            answer = self.ask(path[position:], at=until, for_tokens=True)
            if answer.state is not RevocationState.GOOD:
                return None
            statements += answer.statements
        return Signer(
            spki=path[0].spki,
            key=path[0].key,
            certificates=tuple(each.der for each in beside),
            statements=tuple(statements),
        )

    def _if_trusted(self, scheme: Scheme | None, signer: Signer, notes: list[str]) -> Signer | None:
        check = self._policy.check_signature(scheme, signer.key, self._at)
        if check.outcome is Outcome.PASSED:
            return signer
        notes.append(check.detail)
        return None

    def _may_try(self) -> bool:
        self._signers_left -= 1
        return self._signers_left >= 0

    def _is_of_the_future(self, made: datetime) -> bool:
        return self._latest is not None and made > self._latest


def _may_sign_lists(certificate: Certificate) -> bool:
    """RFC 5280 §6.3.3 (f); without a key usage, only an authority."""
    if certificate.key_usage is None:
        return certificate.is_authority or certificate.is_version_1
    return KeyUsage.CRL_SIGN in certificate.key_usage


def _is_in_its_own_name(signer_path: CertificatePath, path: CertificatePath) -> bool:
    """Whether another key in the authority's name is the authority's.

    Names alone would let any authority below the same anchor speak for another. A certificate in the authority's
    name has to be on the path already, or certified in that name, or by whoever certified the authority.
    """
    name = path[1].subject_name
    own = [each for each in path[1:] if each.subject_name == name]
    issuers = {name, *(each.issuer_name for each in own)}
    return all(
        each in own or each.issuer_name in issuers for each in signer_path if each.subject_name == name
    )


def _by_its_own_word(signer: Certificate) -> Signer | None:
    """A signer asked about while it is being judged: no answer, unless its authority has it answer for itself.

    That is what it has said where every distribution point of the signer's certificate names the signer as the
    issuer of the list. What it then says against itself still counts.
    """
    points = signer.distribution_points
    named = [[each.directory for each in point.crl_issuer] for point in points]
    if points and all(signer.subject_name in names for names in named):
        return Signer(spki=signer.spki, key=signer.key)
    return None


def _readable(octets: Iterable[bytes]) -> Iterator[Certificate]:
    for each in octets:
        try:
            yield read_certificate(each)
        except CertificateMalformed:
            continue
