"""Certificate signing requests written for keys of ours (PKCS #10, RFC 2986), for an authority elsewhere.

info = build_request_info(subject={…}, spki=spki, profile=PROFILES[ProfileName.SEAL])
request = assemble_request(info, suite, signer.sign(info))

What is signed begins with the version, an INTEGER: no TBSCertificate and no list of ours begins so, and a signature
over a request can be nothing else.
"""

from collections.abc import Mapping

from trust.crypto import der
from trust.crypto.suites import Suite
from trust.pki import extensions
from trust.pki.errors import NameRefused
from trust.pki.names import encode_name
from trust.pki.profile_model import Profile
from trust.pki.tbs import assemble

_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
_VERSION = der.integer(0)


def build_request_info(*, subject: Mapping[str, str], spki: bytes, profile: Profile) -> bytes:
    """The DER CertificationRequestInfo, asking for what the profile is for; raises NameRefused."""
    if not profile.required <= subject.keys() <= profile.subject_attributes:
        raise NameRefused(f"a {profile.name} certificate names {', '.join(sorted(profile.required))}")
    wanted = []
    if profile.is_authority:
        wanted.append(extensions.basic_constraints(profile.path_length))
    wanted.append(extensions.key_usage(profile.key_usage))
    if profile.extended_key_usage:
        wanted.append(
            extensions.extended_key_usage(
                profile.extended_key_usage, critical=profile.critical_extended_key_usage
            )
        )
    wanted.append(extensions.subject_key_identifier(extensions.key_identifier(spki)))
    attribute = der.sequence(der.oid(_EXTENSION_REQUEST), der.tlv(der.SET, der.sequence(*wanted)))
    return der.sequence(_VERSION, encode_name(subject), spki, der.context(0, attribute))


def assemble_request(info: bytes, suite: Suite, signature: bytes) -> bytes:
    """The DER CertificationRequest around a signature over `info` (its frame is a certificate's)."""
    return assemble(info, suite, signature)
