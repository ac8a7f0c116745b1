"""Each rule of our lint is broken by a certificate crafted for it, and finds it; the certificate as it was is clean."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.pki import MOMENT, TestPki
from trust.crypto import der, der_reader
from trust.crypto.suites import SoftwareSigner, Suite, definition
from trust.pki import extensions
from trust.pki.certificate import read_certificate
from trust.pki.errors import ProfileViolated
from trust.pki.lint import lint_tbs, refuse_findings
from trust.pki.names import encode_name
from trust.pki.profiles import PROFILES, Profile, ProfileName
from trust.pki.usages import ExtendedKeyUsage, KeyUsage

_PKI = TestPki()
_KEY = SoftwareSigner.generate(Suite.P256_SHA256)
_SEAL = PROFILES[ProfileName.SEAL]
_SUBJECT = {"C": "CN", "O": "规划局", "CN": "规划局公章"}
_CRL = "http://crl.example.test/a.crl"
_BASIC, _USAGE, _EXTENDED, _SKI, _AKI = "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.14", "2.5.29.35"
_POLICIES, _POINTS, _ACCESS, _NO_CHECK = "2.5.29.32", "2.5.29.31", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.48.1.5"


@dataclass(frozen=True, kw_only=True)
class Crafted:
    """A TBSCertificate put together by hand, one piece exchanged at a time."""

    version: bytes = der.context(0, der.integer(2))
    serial: int = (1 << 126) + 7
    algorithm: bytes = definition(Suite.P256_SHA256).signature_algorithm
    issuer: bytes = _PKI.issuing.parsed.subject
    times: bytes = der.x509_time(MOMENT) + der.x509_time(MOMENT + timedelta(days=300))
    subject: bytes = encode_name(_SUBJECT)
    spki: bytes = _KEY.spki
    unique: bytes = b""
    extensions: tuple[bytes, ...] = (
        extensions.key_usage(_SEAL.key_usage),
        extensions.extended_key_usage(_SEAL.extended_key_usage, critical=False),
        extensions.subject_key_identifier(extensions.key_identifier(_KEY.spki)),
        extensions.authority_key_identifier(extensions.key_identifier(_PKI.issuing.signer.spki)),
        extensions.certificate_policies(_SEAL.policies),
        extensions.crl_distribution_point(_CRL),
        extensions.authority_information_access(ocsp="http://a.test/ocsp", issuer="http://a.test/a.cer"),
    )

    def tbs(self) -> bytes:
        return der.sequence(
            self.version, der.integer(self.serial), self.algorithm, self.issuer, der.sequence(self.times),
            self.subject, self.spki, self.unique, der.context(3, der.sequence(*self.extensions)),
        )  # fmt: skip

    def with_extension(self, written: bytes) -> "Crafted":
        """The same with this extension in place of the one of its kind, or besides."""
        oid = _oid(written)
        return replace(self, extensions=(*(each for each in self.extensions if _oid(each) != oid), written))

    def without(self, oid: str) -> "Crafted":
        return replace(self, extensions=tuple(each for each in self.extensions if _oid(each) != oid))


def _oid(extension: bytes) -> str:
    return der_reader.read(extension).children()[0].oid()


def found(crafted: Crafted, profile: Profile = _SEAL) -> list[str]:
    return list(lint_tbs(crafted.tbs(), profile, issuer=_PKI.issuing.parsed))


def _name(*parts: tuple[str, int, str]) -> bytes:
    return der.sequence(
        *(
            der.tlv(der.SET, der.sequence(der.oid(oid), der.tlv(tag, text.encode())))
            for oid, tag, text in parts
        )
    )


def _weak_rsa() -> bytes:
    key = rsa.generate_private_key(public_exponent=3, key_size=2048)
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _access(*places: tuple[str, bytes]) -> bytes:
    return extensions.extension(
        _ACCESS, der.sequence(*(der.sequence(der.oid(how), at) for how, at in places))
    )


def _uri(text: str) -> bytes:
    return der.context(6, text.encode(), constructed=False)


_O = ("2.5.4.10", der.UTF8_STRING, "规划局")
_C = ("2.5.4.6", der.PRINTABLE_STRING, "CN")
_CN = ("2.5.4.3", der.UTF8_STRING, "规划局公章")
_AS_IT_IS = Crafted()
_RSA = _weak_rsa()

_CASES: dict[str, tuple[Callable[[Crafted], Crafted], str]] = {
    "version-1": (lambda c: replace(c, version=b""), "cannot be read back"),
    "serial-short": (lambda c: replace(c, serial=77), "serial number"),
    "serial-zero": (lambda c: replace(c, serial=0), "serial number"),
    "serial-negative": (lambda c: replace(c, serial=-(1 << 100)), "serial number"),
    "serial-long": (lambda c: replace(c, serial=1 << 159), "serial number"),
    "issuer-of-another-name": (
        lambda c: replace(c, issuer=encode_name({"C": "CN", "O": "印信测试", "CN": "别人"})),
        "the issuer's name",
    ),
    "issued-by-itself": (lambda c: replace(c, issuer=c.subject), "in their own name"),
    "ends-before-it-begins": (
        lambda c: replace(c, times=der.x509_time(MOMENT) + der.x509_time(MOMENT - timedelta(days=1))),
        "ends before it begins",
    ),
    "too-long": (
        lambda c: replace(c, times=der.x509_time(MOMENT) + der.x509_time(MOMENT + timedelta(days=1831))),
        "longer than 1830 days",
    ),
    "outlives-its-authority": (
        lambda c: replace(
            c, times=der.x509_time(MOMENT) + der.x509_time(_PKI.issuing.parsed.not_after + timedelta(seconds=1))
        ),
        "outlive the authority",
    ),
    "generalized-before-2050": (
        lambda c: replace(c, times=der.generalized_time(MOMENT) + der.x509_time(MOMENT + timedelta(days=3))),
        "§4.1.2.5",
    ),
    "unique-identifier": (lambda c: replace(c, unique=der.tlv(0x82, b"\x00\x01")), "unique identifier"),
    "no-common-name": (lambda c: replace(c, subject=_name(_C, _O)), "the subject has"),
    "attribute-twice": (lambda c: replace(c, subject=_name(_C, _O, _CN, _CN)), "an attribute twice"),
    "attribute-of-no-profile": (
        lambda c: replace(c, subject=_name(_C, _O, _CN, ("2.5.4.12", der.UTF8_STRING, "局长"))),
        "the subject has",
    ),
    "country-in-small-letters": (
        lambda c: replace(c, subject=_name(("2.5.4.6", der.PRINTABLE_STRING, "cn"), _O, _CN)),
        "two capital letters",
    ),
    "country-as-utf8": (
        lambda c: replace(c, subject=_name(("2.5.4.6", der.UTF8_STRING, "CN"), _O, _CN)),
        "not written as the text",
    ),
    "name-as-printable": (
        lambda c: replace(c, subject=_name(_C, _O, ("2.5.4.3", der.PRINTABLE_STRING, "seal"))),
        "not written as the text",
    ),
    "several-attributes-in-one-part": (
        lambda c: replace(
            c,
            subject=der.sequence(
                der_reader.read(_name(_C)).children()[0].encoded,
                der.tlv(
                    der.SET,
                    b"".join(each.children()[0].encoded for each in der_reader.read(_name(_CN, _O)).children()),
                ),
            ),
        ),
        "several attributes",
    ),
    "resident-id-number": (
        lambda c: replace(c, subject=_name(_C, _O, ("2.5.4.3", der.UTF8_STRING, "张三11010519491231002X"))),
        "resident id number",
    ),
    "weak-rsa-key": (
        lambda c: replace(c, spki=_RSA).with_extension(
            extensions.subject_key_identifier(extensions.key_identifier(_RSA))
        ),
        "no good key",
    ),
    "key-of-the-authority": (
        lambda c: replace(c, spki=_PKI.issuing.signer.spki).with_extension(
            extensions.subject_key_identifier(extensions.key_identifier(_PKI.issuing.signer.spki))
        ),
        "the authority's own",
    ),
    "basic-constraints": (lambda c: c.with_extension(extensions.basic_constraints(None)), "basic constraints"),
    "no-key-usage": (lambda c: c.without(_USAGE), f"{_USAGE} is missing"),
    "signs-certificates": (
        lambda c: c.with_extension(
            extensions.key_usage(frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.KEY_CERT_SIGN}))
        ),
        "key usage is not",
    ),
    "key-usage-not-critical": (
        lambda c: c.with_extension(extensions.extension(_USAGE, der.named_bits(frozenset({0, 1})))),
        f"{_USAGE} is not critical",
    ),
    "no-extended-usage": (lambda c: c.without(_EXTENDED), "extended key usage is not"),
    "another-extended-usage": (
        lambda c: c.with_extension(
            extensions.extended_key_usage([ExtendedKeyUsage.OCSP_SIGNING], critical=False)
        ),
        "extended key usage is not",
    ),
    "critical-extended-usage": (
        lambda c: c.with_extension(extensions.extended_key_usage(_SEAL.extended_key_usage, critical=True)),
        f"{_EXTENDED} is critical",
    ),
    "no-subject-key": (lambda c: c.without(_SKI), f"{_SKI} is missing"),
    "subject-key-of-another": (
        lambda c: c.with_extension(extensions.subject_key_identifier(bytes(20))),
        "not that of the key",
    ),
    "subject-key-of-8-octets": (
        lambda c: c.with_extension(extensions.subject_key_identifier(bytes(8))),
        "20 octets",
    ),
    "no-authority-key": (lambda c: c.without(_AKI), f"{_AKI} is missing"),
    "authority-key-of-another": (
        lambda c: c.with_extension(extensions.authority_key_identifier(bytes(20))),
        "not that of the authority's certificate",
    ),
    "authority-key-with-serial": (
        lambda c: c.with_extension(
            extensions.extension(
                _AKI,
                der.sequence(
                    der.context(0, extensions.key_identifier(_PKI.issuing.signer.spki), constructed=False),
                    der.context(1, der.context(4, c.issuer)),
                    der.context(2, b"\x01", constructed=False),
                ),
            )
        ),
        "more than the key",
    ),
    "no-policy": (lambda c: c.without(_POLICIES), "policy is not"),
    "policy-of-another-profile": (
        lambda c: c.with_extension(
            extensions.certificate_policies(PROFILES[ProfileName.LICENCE].policies)
        ),
        "policy is not",
    ),
    "a-practice-statement": (
        lambda c: c.with_extension(extensions.certificate_policies(_SEAL.policies, cps="http://a.test/cps")),
        "qualifiers",
    ),
    "no-list": (lambda c: c.without(_POINTS), f"{_POINTS} is missing"),
    "list-by-ldap": (
        lambda c: c.with_extension(extensions.crl_distribution_point("ldap://a.test/cn=a")),
        "not an http",
    ),
    "list-at-a-host-that-is-none": (
        lambda c: c.with_extension(extensions.crl_distribution_point("http://-a_/x.crl")),
        "not an http",
    ),
    "two-lists": (
        lambda c: c.with_extension(
            extensions.extension(
                _POINTS,
                der.sequence(
                    *[der.sequence(der.context(0, der.context(0, _uri(f"http://a.test/{n}")))) for n in (1, 2)]
                ),
            )
        ),
        "one complete list",
    ),
    "list-critical": (
        lambda c: c.with_extension(
            extensions.extension(
                _POINTS,
                der.sequence(der.sequence(der.context(0, der.context(0, _uri(_CRL))))),
                critical=True,
            )
        ),
        f"{_POINTS} is critical",
    ),
    "access-by-an-unknown-method": (
        lambda c: c.with_extension(_access(("1.3.6.1.5.5.7.48.3", _uri("http://a.test")))),
        "a method",
    ),
    "access-twice": (
        lambda c: c.with_extension(_access(*[("1.3.6.1.5.5.7.48.1", _uri("http://a.test"))] * 2)),
        "a method twice",
    ),
    "access-by-mail": (
        lambda c: c.with_extension(
            _access(("1.3.6.1.5.5.7.48.1", der.context(1, b"a@a.test", constructed=False)))
        ),
        "not an http",
    ),
    "no-check": (lambda c: c.with_extension(extensions.ocsp_no_check()), "ocsp-nocheck"),
    "alternative-name": (
        lambda c: c.with_extension(
            extensions.extension("2.5.29.17", der.sequence(der.context(2, b"a.test", constructed=False)))
        ),
        "2.5.29.17 is not the profile's",
    ),
    "unknown-critical": (
        lambda c: c.with_extension(extensions.extension("1.2.3.4", der.null(), critical=True)),
        "does not process",
    ),
    "unknown": (
        lambda c: c.with_extension(extensions.extension("1.2.3.4", der.null())),
        "1.2.3.4 is not the profile's",
    ),
    "extension-twice": (
        lambda c: replace(c, extensions=(*c.extensions, c.extensions[0])),
        "twice",
    ),
    "signed-by-an-unknown-algorithm": (
        lambda c: replace(c, algorithm=der.sequence(der.oid("1.2.3.4"))),
        "not in the table",
    ),
    "key-of-an-unknown-kind": (
        lambda c: replace(
            c, spki=der.sequence(der.sequence(der.oid("1.2.3.4")), der.bit_string(bytes(32)))
        ),
        "not in the table",
    ),
}  # fmt: skip


def test_the_certificate_that_all_others_are_made_from_is_clean() -> None:
    assert found(_AS_IT_IS) == []


@pytest.mark.parametrize("name", _CASES)
def test_what_is_wrong_is_found(name: str) -> None:
    change, said = _CASES[name]
    findings = found(change(_AS_IT_IS))
    assert any(said in finding for finding in findings), findings
    with pytest.raises(ProfileViolated, match="is not signed"):
        refuse_findings(change(_AS_IT_IS).tbs(), _SEAL, issuer=_PKI.issuing.parsed)


def test_an_answerer_that_nobody_asks_about_does_not_say_whom_to_ask() -> None:
    ocsp = PROFILES[ProfileName.OCSP]
    crafted = (
        replace(_AS_IT_IS, times=der.x509_time(MOMENT) + der.x509_time(MOMENT + timedelta(days=30)))
        .with_extension(extensions.key_usage(ocsp.key_usage))
        .with_extension(extensions.extended_key_usage(ocsp.extended_key_usage, critical=False))
        .with_extension(extensions.certificate_policies(ocsp.policies))
        .with_extension(extensions.authority_information_access(issuer="http://a.test/a.cer"))
        .with_extension(extensions.ocsp_no_check())
    )
    assert found(crafted, ocsp) == []
    assert found(crafted.without(_NO_CHECK), ocsp)
    asking = crafted.with_extension(extensions.authority_information_access(ocsp="http://a.test/ocsp"))
    assert any("whom to ask" in finding for finding in found(asking, ocsp))


def test_whoever_is_not_certified_to_issue_issues_nothing_that_is_clean() -> None:
    leaf = read_certificate(_PKI.leaf(ProfileName.SEAL).certificate)
    assert any("not certified to issue" in each for each in lint_tbs(_AS_IT_IS.tbs(), _SEAL, issuer=leaf))


def test_an_issuing_authority_certifies_no_authority_below_it() -> None:
    below = _PKI.authority(_PKI.root, PROFILES[ProfileName.ISSUING_AUTHORITY], name="下级")
    findings = lint_tbs(below.parsed.tbs, PROFILES[ProfileName.ISSUING_AUTHORITY], issuer=_PKI.issuing.parsed)
    assert any("no authority below it" in each for each in findings)
