"""The form of a certificate about to be signed: RFC 5280 §4.1 and §4.2 field by field, whatever its profile says.

Part of `trust.pki.lint`. The octets are taken apart here once more, so that nothing counts as right because a reader
passed over it: an extension that is not expected is a finding, known or not.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from trust.crypto import der, der_reader
from trust.crypto.der_reader import Element
from trust.crypto.errors import DerMalformed
from trust.kernel.errors import InvalidInput
from trust.pki.certificate_extensions import read_extension
from trust.pki.der_values import read_time
from trust.pki.distribution_points import ALL_REASONS, read_distribution_points
from trust.pki.general_names import NameType, read_general_name
from trust.pki.profile_model import Profile

_VERSION_3: Final = 2
_KEY_USAGE: Final = "2.5.29.15"
_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_EXTENDED_KEY_USAGE: Final = "2.5.29.37"
_SUBJECT_KEY: Final = "2.5.29.14"
_AUTHORITY_KEY: Final = "2.5.29.35"
_POLICIES: Final = "2.5.29.32"
_CRL_POINTS: Final = "2.5.29.31"
_INFORMATION_ACCESS: Final = "1.3.6.1.5.5.7.1.1"
_NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"
_OCSP: Final = "1.3.6.1.5.5.7.48.1"
_ISSUER: Final = "1.3.6.1.5.5.7.48.2"
_CPS: Final = "1.3.6.1.5.5.7.2.1"
# RFC 5280 §4.2.1.2 leaves the length open; ours are the first 160 bits of a digest.
_KEY_IDENTIFIER_OCTETS: Final = 20
_MIN_RSA_EXPONENT: Final = 65537
_URI: Final = re.compile(
    r"https?://([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[\x21-\x7e]*)?"
)
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, kw_only=True)
class Form:
    """A TBSCertificate taken apart: its fields as they stand, its extensions as OID to criticality and value."""

    version: int
    times: tuple[Element, ...]
    subject: Element
    spki: bytes
    unique_identifiers: bool
    extensions: Mapping[str, tuple[bool, bytes]]
    repeated: tuple[str, ...]


def lint_form(tbs: bytes, profile: Profile) -> Iterator[str]:
    """Findings about the form, as sentences; raises DerMalformed where there is none to speak of."""
    form = _read(tbs)
    for rule in _RULES:
        yield from rule(form, profile)


def _read(tbs: bytes) -> Form:
    fields = der_reader.read(tbs).fields()
    version = fields.optional(0xA0)
    for _ in ("serial", "signature", "issuer"):
        fields.take()
    times = fields.take(der.SEQUENCE).children()
    subject = fields.take(der.SEQUENCE)
    spki = fields.take(der.SEQUENCE).encoded
    unique = [fields.optional(tag) for tag in (0x81, 0x82)]
    written = fields.optional(0xA3)
    fields.end()
    read = [] if written is None else [read_extension(each) for each in written.only().children()]
    names = [oid for oid, _critical, _value in read]
    return Form(
        version=0 if version is None else version.only().integer(),
        times=times,
        subject=subject,
        spki=spki,
        unique_identifiers=any(each is not None for each in unique),
        extensions={oid: (critical, value) for oid, critical, value in read},
        repeated=tuple(oid for oid in set(names) if names.count(oid) > 1),
    )


def _frame(form: Form, _profile: Profile) -> Iterator[str]:
    if form.version != _VERSION_3:
        yield "the certificate is not of version 3"
    if form.unique_identifiers:
        yield "issuer or subject have a unique identifier (RFC 5280 §4.1.2.8)"
    for time in form.times:
        try:
            usual = der.x509_time(read_time(time))
        except (DerMalformed, InvalidInput):
            usual = b""
        if time.encoded != usual:
            yield "a moment is not written as RFC 5280 §4.1.2.5 has it"


def _subject(form: Form, _profile: Profile) -> Iterator[str]:
    for relative in form.subject.children():
        attributes = relative.expect(der.SET).children()
        if len(attributes) != 1:
            yield "a part of the subject's name has several attributes"
            continue
        kind, value = attributes[0].children()
        printable = kind.oid() in ("2.5.4.6", "2.5.4.5")
        if value.tag != (der.PRINTABLE_STRING if printable else der.UTF8_STRING):
            yield f"the subject's {kind.oid()} is not written as the text it should be"
        if kind.oid() == "2.5.4.6" and not _COUNTRY.fullmatch(value.content.decode("ascii", "replace")):
            yield "the subject's country is not two capital letters (ISO 3166)"


def _key(form: Form, _profile: Profile) -> Iterator[str]:
    try:
        key = load_der_public_key(form.spki)
    except Exception:
        return  # a key of another library; whether its suite is known the frame's own rule says
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        if numbers.e < _MIN_RSA_EXPONENT or numbers.e % 2 == 0 or numbers.n % 2 == 0:
            yield "the RSA key has an exponent or a modulus that no good key has"


def _extensions(form: Form, profile: Profile) -> Iterator[str]:
    needed = {_KEY_USAGE, _SUBJECT_KEY}
    allowed = {_INFORMATION_ACCESS} if profile.policies else set[str]()
    if profile.is_authority:
        needed.add(_BASIC_CONSTRAINTS)
    if profile.extended_key_usage:
        needed.add(_EXTENDED_KEY_USAGE)
    if profile.policies:
        needed |= {_AUTHORITY_KEY, _POLICIES, _CRL_POINTS}
    if profile.ocsp_no_check:
        needed.add(_NO_CHECK)
    critical = {_KEY_USAGE, _BASIC_CONSTRAINTS}
    if profile.critical_extended_key_usage:
        critical.add(_EXTENDED_KEY_USAGE)
    yield from (f"the extension {oid} is there twice" for oid in form.repeated)
    yield from (f"the extension {oid} is missing" for oid in sorted(needed - form.extensions.keys()))
    yield from (
        f"the extension {oid} is not the profile's"
        for oid in sorted(form.extensions.keys() - needed - allowed)
    )
    for oid, (is_critical, _value) in form.extensions.items():
        if is_critical is not (oid in critical):
            yield f"the extension {oid} {'is' if is_critical else 'is not'} critical"


def _identifiers(form: Form, _profile: Profile) -> Iterator[str]:
    value = _value(form, _SUBJECT_KEY)
    if value is not None and len(value.octets()) != _KEY_IDENTIFIER_OCTETS:
        yield f"the subject key identifier has not {_KEY_IDENTIFIER_OCTETS} octets"
    value = _value(form, _AUTHORITY_KEY)
    if value is not None and [each.tag for each in value.children()] != [0x80]:
        yield "the authority key identifier says more than the key, or less"


def _policies(form: Form, profile: Profile) -> Iterator[str]:
    value = _value(form, _POLICIES)
    found = []
    for information in () if value is None else value.children():
        _oid, *rest = information.children()
        for qualifier in (each for part in rest for each in part.children()):
            kind, text = qualifier.children()
            found.append((kind.oid(), text.content.decode("ascii", "replace")))
    if found != ([] if profile.cps is None else [(_CPS, profile.cps)]):
        yield "the policies' qualifiers are not the profile's"


def _places(form: Form, profile: Profile) -> Iterator[str]:
    value = _value(form, _CRL_POINTS)
    points = () if value is None else read_distribution_points(value)
    names = [name for point in points if point.name is not None for name in point.name.full]
    if value is not None and (
        len(points) != 1
        or len(names) != 1
        or any(point.reasons != ALL_REASONS or point.crl_issuer for point in points)
    ):
        yield "there is not one place for one complete list"
    access = _value(form, _INFORMATION_ACCESS)
    methods = []
    for description in () if access is None else access.children():
        method, location = description.children()
        methods.append(method.oid())
        names.append(read_general_name(location))
    if len(set(methods)) != len(methods) or not set(methods) <= {_OCSP, _ISSUER}:
        yield "the information access names a method twice, or one that is not ours"
    if profile.ocsp_no_check and _OCSP in methods:
        yield "nobody is to be asked about it (ocsp-nocheck), yet it says whom to ask"
    if any(name.kind is not NameType.URI or not _URI.fullmatch(name.text) for name in names):
        yield "a place is not an http or https address"


def _value(form: Form, oid: str) -> Element | None:
    return der_reader.read(form.extensions[oid][1]) if oid in form.extensions else None


_RULES: Final[Sequence[Callable[[Form, Profile], Iterator[str]]]] = (
    _frame,
    _subject,
    _key,
    _extensions,
    _identifiers,
    _policies,
    _places,
)
