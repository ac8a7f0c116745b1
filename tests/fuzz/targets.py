"""What is fuzzed: the parsers that strangers' signatures reach, each with valid inputs to begin with.

A target's `run` gives the outcome in words (a report's reasons or the code of an error of the tree); whatever else
it raises is a finding.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

import pypdfium2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as x509_ocsp

from tests.fuzz.ceremonies import ceremony_files, read_ceremony_file
from tests.fuzz.mutations import Mutator
from tests.support import foreign_pki, messages
from tests.support.attacks.catalogue import attacks
from tests.support.attacks.victim import (
    TWIN,
    Victim,
    certified,
    changed,
    document_timestamp,
    sealed_with_a_twin,
)
from tests.support.pdfs import CATALOG, INFO, Kind, append, build_pdf, seal, stream
from tests.support.pki import TestPki
from trust.crypto.cms import ID_DATA, ParsedCms
from trust.crypto.cms_checks import check_signer
from trust.crypto.digests import Digest, sha256
from trust.documents.pdf import validate
from trust.documents.pdf.crossreference import InFile
from trust.documents.pdf.document import Document
from trust.documents.pdf.syntax import Reference
from trust.kernel.errors import Broken, YinxinError
from trust.kernel.report import Check, Indication, Outcome, Report
from trust.pki.certificate import read_certificate
from trust.pki.csr import read_csr
from trust.pki.ocsp import read_ocsp
from trust.pki.ocsp_request import build_ocsp_request, read_ocsp_request
from trust.pki.path import validate_path
from trust.pki.purposes import Purpose
from trust.pki.revocation_list import read_crl
from trust.pki.trust_store import TrustStore
from trust.timestamp.requests import make_request, read_request
from trust.timestamp.tokens import TstInfo
from trust.timestamp.verification import verify_token
from trust.verify.certificates_inside import certificates_inside
from trust.verify.content import SignedContent
from trust.verify.verifier import verify_bytes

_CONTENT = b"a document"
_PDF_WORDS = (
    b"endobj", b"endstream", b"stream\n", b"%%EOF", b"startxref\n0\n", b"xref\n0 1\n", b"trailer\n<<", b"/Prev 0 ",
    b"/XRefStm 15 ", b"/Type /ObjStm", b"/ByteRange [0 1 2 3]", b"/Contents <00>", b"<<", b">>", b"[", b"]", b"(",
    b")", b"<", b">", b"%", b"\\", b"#00", b" 0 R", b"null", b"/V 4 0 R", b"/Kids [3 0 R]", b"/FT /Sig", b"/Annots",
    b"/DSS << >>", b"\0", b"\r", b"-1", b"1.5", b"/Length 999999", b"/W [8 8 8]", b"/Index [0 2000000]",
)  # fmt: skip
_NUMBER = re.compile(r"\d+|0x[0-9a-f]+|b'.*'")
_NETTED = re.compile(r"cannot be read \((\w+)\)")
# A document whose memory ran out is a finding, although there is an error for it.
_OUT_OF_MEMORY = "more memory than there is"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What an input came to: `words` without its numbers, `netted` where only the wide net caught an exception."""

    words: str
    netted: str | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """One parser. `mutate` draws an input from the corpus."""

    name: str
    corpus: tuple[bytes, ...]
    run: Callable[[bytes], Ending]
    mutate: Callable[[Random, Sequence[bytes]], bytes]


class Refuted(AssertionError):
    """An outcome that no input may have."""


def _outcome(checks: Sequence[Check]) -> Ending:
    said = [f"{check.code}: {check.detail}" for check in checks if check.outcome is not Outcome.PASSED]
    text = _NUMBER.sub("#", "; ".join(dict.fromkeys(said)))
    if _OUT_OF_MEMORY in text:
        raise Refuted(text)
    netted = _NETTED.search(text)
    return Ending(words=text[:400], netted=netted[1] if netted else None)


def _of_report(report: Report) -> Ending:
    return _outcome(tuple(report.all_checks()))


def _tamed(run: Callable[[bytes], Ending]) -> Callable[[bytes], Ending]:
    """Errors of the tree are outcomes, all but Broken: a stranger's octets break nothing of ours."""

    def tamed(octets: bytes) -> Ending:
        try:
            return run(octets)
        except Broken:
            raise
        except YinxinError as error:
            return Ending(words=f"{error.code}: {_NUMBER.sub('#', error.message)[:200]}")

    return tamed


def _pdf(pki: TestPki) -> Target:
    trust = pki.trust_store()
    victim = Victim.sealed_by(pki)
    corpus = [victim.sealed, certified(victim, 2), document_timestamp(victim, victim.sealed)]
    for kind in Kind:
        once = seal(build_pdf(kind=kind), pki.leaf(), pki=pki, placement=None)
        corpus += [once, seal(once, pki.leaf(), pki=pki, placement=None)]
    corpus += [attack.make(victim) for attack in attacks()[::7]]

    def mutate(random: Random, others: Sequence[bytes]) -> bytes:
        mutator = Mutator(random, words=_PDF_WORDS)
        document = random.choice(others)
        if random.random() < 0.6:
            return mutator.mutated(document, others)
        return _with_an_object_mutated(mutator, random, document, others)

    return Target(
        name="pdf",
        corpus=tuple(corpus),
        run=_tamed(lambda octets: _of_report(validate(octets, trust=trust, at=pki.now))),
        mutate=mutate,
    )


def _with_an_object_mutated(
    mutator: Mutator, random: Random, document: bytes, others: Sequence[bytes]
) -> bytes:
    """A later revision, whole in itself, in which one object or two are almost what they were."""
    try:
        source = Document(document)
        numbers = [
            number for number, place in source.cross_references.locations.items() if isinstance(place, InFile)
        ]
        objects = {}
        for _ in range(random.randint(1, 2)):
            found = source.indirect(Reference(random.choice(numbers), 0))
            if found is None:
                return mutator.mutated(document, others)
            number = random.choice((random.choice(numbers), random.randrange(1, 60)))
            objects[Reference(number, 0)] = mutator.mutated(found.text()[:4000], others)
        return append(document, objects)
    except (YinxinError, IndexError):
        return mutator.mutated(document, others)


def _readers(pki: TestPki) -> Target:
    """Not a parser but its neighbours: what comes out valid must be shown by pdfium as it was signed.

    The signed part stays, with a twin of the page's contents planted in it; only the revision after it is mutated.
    """
    trust = pki.trust_store()
    signed = [sealed_with_a_twin(Victim.sealed_by(pki))]
    for kind in Kind:
        document = build_pdf(kind=kind, objects={60: stream(b"x\n" + TWIN)})
        signed.append(seal(document, pki.leaf(), pki=pki, placement=None))
    corpus: list[bytes] = []
    for sealed in signed:
        corpus.append(changed(sealed, INFO, ModDate=b"(D:20261122090000Z)"))
        corpus.append(changed(sealed, CATALOG, DSS=b"<< /Certs [] >>"))

    def mutate(random: Random, others: Sequence[bytes]) -> bytes:
        document = random.choice(others)
        base = next(each for each in signed if document.startswith(each))
        update = document[len(base) :]
        return base + Mutator(random, words=_PDF_WORDS).mutated(update, [update])

    def run(octets: bytes) -> Ending:
        report = validate(octets, trust=trust, at=pki.now)
        if report.indication is Indication.VALID:
            try:
                text = pypdfium2.PdfDocument(octets)[0].get_textpage().get_text_range()
            except pypdfium2.PdfiumError:
                return Ending(words="valid, but pdfium does not open it")
            if "Approved" not in text or "Refused" in text:
                raise Refuted(f"valid, and pdfium shows {text!r}")
        return _of_report(report)

    return Target(name="readers", corpus=tuple(corpus), run=_tamed(run), mutate=mutate)


def _der_mutation(random: Random, others: Sequence[bytes]) -> bytes:
    mutator = Mutator(random)
    chosen = random.choice(others)
    if random.random() < 0.75:
        return mutator.mutated_der(chosen, others)
    return mutator.mutated(chosen, others)


def _cms(pki: TestPki) -> Target:
    leaf = pki.leaf()
    victim = Victim.sealed_by(pki)

    def run(octets: bytes) -> Ending:
        parsed = ParsedCms.parse(octets)
        digests = {Digest.SHA256: sha256(_CONTENT)}
        return _outcome(check_signer(parsed, digests=digests, content_type=ID_DATA))

    corpus = (leaf.sign_detached(_CONTENT), victim.message, pki.token(sha256(_CONTENT)))
    return Target(name="cms", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _token(pki: TestPki) -> Target:
    trust = pki.trust_store()
    corpus = (
        pki.token(sha256(_CONTENT)),
        pki.token(sha256(_CONTENT), nonce=7),
        pki.leaf().sign_detached(b""),
    )

    def run(octets: bytes) -> Ending:
        return _of_report(verify_token(octets, data=_CONTENT, trust=trust, at=pki.now))

    return Target(name="token", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _tst_info(pki: TestPki) -> Target:
    corpus = tuple(
        ParsedCms.parse(pki.token(sha256(_CONTENT), nonce=nonce)).econtent or b"" for nonce in (None, 7)
    )

    def run(octets: bytes) -> Ending:
        info = TstInfo.parse(octets)
        return Ending(words=f"read, {info.imprint_algorithm}, {info.accuracy is None}, {info.nonce is None}")

    return Target(name="tst-info", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _request(pki: TestPki) -> Target:
    corpus = (make_request(sha256(_CONTENT)), make_request(sha256(_CONTENT), 7, policy="1.2.3"))

    def run(octets: bytes) -> Ending:
        request = read_request(octets)
        return Ending(words=f"read, {request.cert_req}, {request.policy is None}")

    return Target(name="request", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _certificate(pki: TestPki) -> Target:
    trust = pki.trust_store()
    corpus = (pki.root.certificate, pki.issuing.certificate, pki.leaf().certificate)

    def run(octets: bytes) -> Ending:
        read_certificate(octets)
        path = validate_path(
            octets, intermediates=(octets,), trust=trust, at=pki.now, purpose=Purpose.DOCUMENT_SIGNING
        )
        return _outcome(path.checks)

    return Target(name="certificate", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _crl(pki: TestPki) -> Target:
    gone = pki.leaf()
    pki.revoke(gone)
    corpus = (pki.crl(), pki.crl(pki.root))
    leaf, authority = pki.leaf(), pki.issuing.parsed
    trust = replace(pki.trust_store(), crls=(pki.crl(pki.root),))

    def run(octets: bytes) -> Ending:
        crl = read_crl(octets)
        said = [crl.is_understood and crl.entry_of(each.parsed) is not None for each in (leaf, gone)]
        paths = [
            validate_path(
                each.certificate,
                trust=trust,
                at=pki.now,
                purpose=Purpose.DOCUMENT_SIGNING,
                extra_crls=(octets,),
            )
            for each in (leaf, gone)
        ]
        return Ending(words=f"{said}, {crl.is_signed_by(authority.spki)}, {[path.passed for path in paths]}")

    return Target(name="crl", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _ocsp(pki: TestPki) -> Target:
    root = foreign_pki.authority("root")
    leaf, responder = foreign_pki.person("leaf", root), foreign_pki.person("responder", root)
    corpus = (
        foreign_pki.answer(leaf, root),
        foreign_pki.answer(leaf, root, by_key=True, digest=hashes.SHA256(), next_update=None),
        foreign_pki.answer(leaf, root, responder=responder),
    )
    trust = TrustStore(anchors=(root.der,))

    def run(octets: bytes) -> Ending:
        answer = read_ocsp(octets)
        path = validate_path(
            leaf.der,
            trust=trust,
            at=foreign_pki.NOW,
            purpose=Purpose.DOCUMENT_SIGNING,
            extra_ocsps=(octets,),
        )
        return Ending(words=f"{[each.state for each in answer.responses]}, {path.passed}")

    return Target(name="ocsp", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _ocsp_request(pki: TestPki) -> Target:
    root = foreign_pki.authority("root")
    leaf = foreign_pki.person("leaf", root)
    builder = x509_ocsp.OCSPRequestBuilder().add_certificate(
        x509.load_der_x509_certificate(leaf.der), x509.load_der_x509_certificate(root.der), hashes.SHA256()
    )
    corpus = (
        build_ocsp_request(read_certificate(leaf.der), read_certificate(root.der)),
        *(
            builder.add_extension(extension, critical=False).build().public_bytes(Encoding.DER)
            for extension in (
                x509.OCSPNonce(bytes(16)),
                x509.OCSPAcceptableResponses([x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.1")]),
            )
        ),
    )

    def run(octets: bytes) -> Ending:
        request = read_ocsp_request(octets)
        return Ending(words=f"{len(request.cert_ids)} asked, nonce {request.nonce is not None}")

    return Target(name="ocsp-request", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _csr(pki: TestPki) -> Target:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "测试")])
    )
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    corpus = (request.public_bytes(Encoding.DER), request.public_bytes(Encoding.PEM))

    def run(octets: bytes) -> Ending:
        return Ending(words=str(read_csr(octets).suite))

    return Target(name="csr", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _files(pki: TestPki) -> Target:
    """Whatever a stranger brings beside a file: nothing said over other content is ever valid."""
    trust = pki.trust_store()
    leaf = pki.leaf()
    stamped = messages.signature(leaf, _CONTENT, pki=pki, stamp=True)
    inside = messages.signature(leaf, _CONTENT, inside=True)
    token = pki.token(sha256(_CONTENT))
    corpus = (
        stamped,
        inside,
        messages.streamed(inside),
        messages.together(stamped, messages.signature(pki.leaf(), _CONTENT)),
        messages.with_lists(inside, (pki.crl(), pki.crl(pki.root))),
        messages.with_values(messages.signature(leaf, _CONTENT), (pki.crl(),)),
        messages.pem(stamped, "CMS"),
        token,
        messages.response(token),
        leaf.certificate,
        pki.crl(),
    )

    def run(octets: bytes) -> Ending:
        report = verify_bytes(
            octets, name="a.p7s", trust=trust, at=pki.now, content=SignedContent.of(_CONTENT)
        )
        other = verify_bytes(
            octets, name="a.p7s", trust=trust, at=pki.now, content=SignedContent.of(b"other")
        )
        if other.indication is Indication.VALID:
            raise Refuted("valid over content that nobody signed")
        certificates_inside(octets, "a.p7s")
        return _of_report(report)

    return Target(name="files", corpus=corpus, run=_tamed(run), mutate=_der_mutation)


def _ceremony(pki: TestPki) -> Target:
    corpus = ceremony_files(pki)

    def run(octets: bytes) -> Ending:
        return Ending(words=read_ceremony_file(octets))

    def mutate(random: Random, others: Sequence[bytes]) -> bytes:
        return Mutator(random).mutated(random.choice(others), others)

    return Target(name="ceremony", corpus=corpus, run=_tamed(run), mutate=mutate)


TARGETS: Mapping[str, Callable[[TestPki], Target]] = MappingProxyType(
    {
        "pdf": _pdf,
        "cms": _cms,
        "token": _token,
        "tst-info": _tst_info,
        "request": _request,
        "certificate": _certificate,
        "crl": _crl,
        "ocsp": _ocsp,
        "ocsp-request": _ocsp_request,
        "csr": _csr,
        "files": _files,
        "ceremony": _ceremony,
        "readers": _readers,
    }
)
# What the suite runs: a disagreement of readers found by chance becomes an attack of the catalogue first.
IN_THE_SUITE = tuple(name for name in TARGETS if name != "readers")
