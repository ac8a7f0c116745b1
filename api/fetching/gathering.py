"""What a file's certificates name, fetched and laid beside the trust material: it helps, and is never believed.

An authority's certificate that was fetched is an intermediate; lists and answers count only where their signer
leads to an anchor. So a host that lies can keep something from us, and cannot make anything valid.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from api.fetching.fetcher import Fetcher
from api.fetching.hosts import FetchRefused
from trust.crypto.pem import blocks_of
from trust.crypto.signed_message import read_signed_message
from trust.kernel.errors import YinxinError
from trust.pki.certificate import MAX_CERTIFICATE_BYTES, Certificate, read_certificate
from trust.pki.errors import CertificateMalformed, CrlMalformed, OcspMalformed
from trust.pki.ocsp import MAX_OCSP_BYTES, read_ocsp
from trust.pki.ocsp_request import MEDIA_TYPE, build_ocsp_request
from trust.pki.revocation import Crl
from trust.pki.trust_store import TrustStore
from trust.verify.der_kinds import CERTIFICATE_LABELS

# A national authority's list; larger ones are given as files.
MAX_CRL_BYTES: Final = 20 << 20
# A chain in PKCS#7 (RFC 5280 §4.2.2.1 allows it).
MAX_ISSUER_BYTES: Final = 4 * MAX_CERTIFICATE_BYTES
# From a signer to below the anchor.
MAX_ROUNDS: Final = 6
# URLs of one kind in one certificate; a second one is for when the first is away.
_MAX_URLS: Final = 3
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came of one address: so many octets, or why nothing."""

    url: str
    octets: int = 0
    refused: str = ""


class Gathering:
    """Fetches for one verification; `log` is told of every address."""

    def __init__(self, fetcher: Fetcher, *, log: Callable[[Fetched], None]) -> None:
        self._fetcher = fetcher
        self._log = log
        self._asked: set[str] = set()

    def beside(self, certificates: Sequence[bytes], trust: TrustStore) -> TrustStore:
        """The trust store with what these certificates name: authorities, answers, lists."""
        # 1. The chains, from each certificate upwards.
        known = {each.der: each for each in _readable((*trust.anchors, *trust.intermediates, *certificates))}
        found: list[bytes] = []
        waiting = list(_readable(certificates))
        for _ in range(MAX_ROUNDS):
            missing = [each for each in waiting if not _issuers(each, known.values())]
            waiting = [certificate for each in missing for certificate in self._authorities(each)]
            fresh = [each for each in waiting if each.der not in known]
            if not fresh:
                break
            known.update((each.der, each) for each in fresh)
            found.extend(each.der for each in fresh)

        # 2. For each certificate below an authority: an answer, or else the lists.
        crls: list[bytes] = []
        ocsps: list[bytes] = []
        for each in known.values():
            above = _issuers(each, known.values())
            if each.der in trust.anchors or not above:
                continue
            answers = list(self._answers(each, above[0]))
            ocsps += answers
            if not answers:
                crls += self._lists(each)
        return replace(
            trust,
            intermediates=(*trust.intermediates, *found),
            crls=(*trust.crls, *crls),
            ocsps=(*trust.ocsps, *ocsps),
        )

    def _authorities(self, certificate: Certificate) -> Iterator[Certificate]:
        for url in issuer_urls(certificate)[:_MAX_URLS]:
            octets = self._once(url, partial(self._fetcher.get, url, limit=MAX_ISSUER_BYTES))
            if octets is not None:
                yield from _readable(_certificates_in(octets))
                return

    def _answers(self, certificate: Certificate, above: Certificate) -> Iterator[bytes]:
        request = build_ocsp_request(certificate, above)
        for url in certificate.ocsp_urls[:_MAX_URLS]:
            octets = self._once(
                f"{url} {certificate.serial_text}",
                partial(self._fetcher.post, url, request, media_type=MEDIA_TYPE, limit=MAX_OCSP_BYTES),
                url=url,
            )
            if octets is not None and _is(read_ocsp, octets, OcspMalformed):
                yield octets
                return

    def _lists(self, certificate: Certificate) -> Iterator[bytes]:
        for url in certificate.crl_urls[:_MAX_URLS]:
            octets = self._once(url, partial(self._fetcher.get, url, limit=MAX_CRL_BYTES))
            if octets is not None and _is(Crl, octets, CrlMalformed):
                yield octets

    def _once(self, question: str, ask: Callable[[], bytes], *, url: str = "") -> bytes | None:
        """What came of it, told to the log; None where nothing did, or it was asked before."""
        if question in self._asked:
            return None
        self._asked.add(question)
        try:
            octets = ask()
        except FetchRefused as refused:
            self._log(Fetched(url=url or question, refused=refused.message))
            return None
        self._log(Fetched(url=url or question, octets=len(octets)))
        return octets


def issuer_urls(certificate: Certificate) -> tuple[str, ...]:
    """Authority information access: where certificates of the issuer are (RFC 5280 §4.2.2.1)."""
    try:
        access = x509.load_der_x509_certificate(certificate.der).extensions.get_extension_for_class(
            x509.AuthorityInformationAccess
        )
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return ()
    return tuple(
        each.access_location.value
        for each in access.value
        if each.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(each.access_location, x509.UniformResourceIdentifier)
    )


def _certificates_in(octets: bytes) -> tuple[bytes, ...]:
    """One certificate (DER), several (PEM), or those of a certs-only message."""
    try:
        if octets[:1] != b"\x30":
            return blocks_of(octets, CERTIFICATE_LABELS)
        if _is(read_certificate, octets, CertificateMalformed):
            return (octets,)
        return read_signed_message(octets).material.certificates
    except YinxinError:
        return ()


def _issuers(certificate: Certificate, known: Iterable[Certificate]) -> list[Certificate]:
    return [
        each for each in known if each.subject_name == certificate.issuer_name and each.der != certificate.der
    ]


def _readable(octets: Sequence[bytes]) -> Iterator[Certificate]:
    for each in dict.fromkeys(octets):
        try:
            yield read_certificate(each)
        except CertificateMalformed:
            continue


def _is(read: Callable[[bytes], _T], octets: bytes, malformed: type[YinxinError]) -> bool:
    try:
        read(octets)
    except malformed:
        return False
    return True
