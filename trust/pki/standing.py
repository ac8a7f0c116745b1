"""Lists and answers that a stranger brings: whether their authority still stood when they are known to have existed.

An authority's key is guarded until its certificate ends. Whoever has it afterwards makes lists and answers of any
date, and certificates of any length beside them. So what counts is the certificates that lead to an anchor, and
wherever those of the same name disagree, the signature says whose list it is.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice

from trust.crypto.policy import AlgorithmPolicy
from trust.crypto.schemes import Scheme
from trust.kernel.report import Outcome
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.errors import CertificateMalformed, CrlMalformed, OcspMalformed
from trust.pki.ocsp import OcspAnswer, read_ocsp
from trust.pki.path_search import CertificatePool, PathSearch
from trust.pki.revocation_list import Crl, read_crl
from trust.pki.trust_store import TrustStore

# Keys of one name that are tried on a list or an answer; an authority has two or three in its life.
_MAX_KEYS_TRIED = 8


class Standing:
    """What counts of lists and answers, by every certificate at hand.

    `certificates` (DER) have to be all of those that a path may be built from; what cannot be read is left aside.
    """

    def __init__(self, trust: TrustStore, certificates: Iterable[bytes], *, policy: AlgorithmPolicy) -> None:
        self._trust = trust
        self._policy = policy
        self._handed_in = _readable(certificates)
        own = (*trust.anchor_certificates, *trust.intermediate_certificates)
        self._known = tuple(dict.fromkeys((*own, *self._handed_in)))

    def counts_list(self, octets: bytes, existed_by: datetime) -> bool:
        """Whether a list counts of which all that is known is that it existed by this moment."""
        try:
            crl: Crl = read_crl(octets)
        except CrlMalformed:
            return False
        named = [each for each in self._known if each.subject_name == crl.issuer_name]
        return self._is_trusted(crl.scheme, existed_by) and self._stood(named, crl.is_signed_by, existed_by)

    def counts_answer(self, octets: bytes, existed_by: datetime) -> bool:
        """The same of an OCSP answer: of the authority itself, or of a responder's with its own certificate."""
        try:
            answer: OcspAnswer = read_ocsp(octets)
        except OcspMalformed:
            return False
        every = dict.fromkeys((*_readable(answer.certificates), *self._known))
        named = [each for each in every if answer.names(each)]
        return self._is_trusted(answer.scheme, existed_by) and self._stood(
            named, answer.is_signed_by, existed_by
        )

    def _is_trusted(self, scheme: Scheme | None, moment: datetime) -> bool:
        """One of a scheme not known here verifies under no key: that is said where it is heard."""
        return scheme is None or self._policy.check_digest(scheme.digest, moment).outcome is Outcome.PASSED

    def _stood(
        self, named: Sequence[Certificate], signed_by: Callable[[bytes], bool], existed_by: datetime
    ) -> bool:
        current = sum(each.not_after >= existed_by for each in named)
        if current in (0, len(named)):
            return bool(named) and current == len(named)  # of nobody known: no path is built from it
        by_key: dict[bytes, list[Certificate]] = {}
        for each in named:
            by_key.setdefault(each.spki, []).append(each)
        for spki, holders in islice(by_key.items(), _MAX_KEYS_TRIED):
            if signed_by(spki):
                return any(self._leads_to_an_anchor(each, existed_by) for each in holders)
        return False

    def _leads_to_an_anchor(self, certificate: Certificate, moment: datetime) -> bool:
        """By certificates none of which had ended, the anchor's own end apart."""
        search = PathSearch(CertificatePool(self._trust, self._handed_in), at=moment)
        return any(
            all(each.not_after >= moment for each in path[: max(1, len(path) - 1)])
            for path in search.paths(certificate)
        )


def _readable(octets: Iterable[bytes]) -> tuple[Certificate, ...]:
    found = []
    for each in dict.fromkeys(octets):
        try:
            found.append(read_certificate(each))
        except CertificateMalformed:
            continue
    return tuple(found)
