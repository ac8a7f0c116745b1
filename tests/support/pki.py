"""A small PKI for tests, made by the real writers: root, issuing authority, leaves by profile, CRLs, tokens.

pki = TestPki()
seal = pki.leaf(ProfileName.SEAL)
cms = seal.sign_detached(b"document")
trust = pki.trust_store()                      # anchors, authorities and current CRLs
pki.revoke(seal, at=pki.now)
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from trust.crypto.cms import CmsIdentity
from trust.crypto.digests import digest_of
from trust.crypto.suites import SoftwareSigner, Suite
from trust.pki.certificate import Certificate, read_certificate
from trust.pki.crl import RevocationReason, Revoked, build_tbs_crl
from trust.pki.extensions import key_identifier
from trust.pki.profiles import PROFILES, TIMESTAMP_POLICY, Profile, ProfileName
from trust.pki.tbs import CertificateRequestData, assemble, build_tbs
from trust.pki.trust_store import TrustStore
from trust.timestamp.tokens import build_token, build_tst_info

MOMENT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CRL_LIFE = timedelta(days=7)
_SUBJECT = {
    "C": "CN",
    "ST": "湖北省",
    "L": "武汉市",
    "O": "武汉市测试局",
    "organizationIdentifier": "NTRCN-91420100MA4KXYZ12B",
    "CN": "测试",
    "serialNumber": "T0001",
}


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A certificate with its key; `chain` is the authorities above it without the root."""

    certificate: bytes
    chain: tuple[bytes, ...]
    signer: SoftwareSigner

    @property
    def identity(self) -> CmsIdentity:
        return CmsIdentity(certificate=self.certificate, chain=self.chain, suite=self.signer.suite)

    @property
    def parsed(self) -> Certificate:
        return read_certificate(self.certificate)

    def sign_detached(self, content: bytes) -> bytes:
        """A detached CMS over the content, without a timestamp."""
        identity = self.identity
        attributes = identity.signed_attributes(message_digest=digest_of(content, identity.digest))
        return identity.signed_data(signed_attributes=attributes, signature=self.signer.sign(attributes))


@dataclass(kw_only=True)
class Authority:
    """A certificate authority: its certificate, key, the authorities above it, and what it has revoked."""

    certificate: bytes
    signer: SoftwareSigner
    chain: tuple[bytes, ...]
    revoked: list[Revoked] = field(default_factory=list)

    @property
    def parsed(self) -> Certificate:
        return read_certificate(self.certificate)


class TestPki:
    """Root and issuing authority at one moment; everything below is made on demand."""

    __test__ = False  # a builder, not a test class

    def __init__(self, *, now: datetime = MOMENT, suite: Suite = Suite.P256_SHA256) -> None:
        """`suite` is that of every key for which none is named."""
        self.now = now.replace(microsecond=0)
        self._suite = suite
        self._numbers = itertools.count(1)
        self.root = self.authority(None, PROFILES[ProfileName.ROOT], name="印信测试根")
        self.issuing = self.authority(self.root, PROFILES[ProfileName.ISSUING_AUTHORITY], name="印信测试签发")
        self._timestamp: Leaf | None = None

    def authority(self, above: Authority | None, profile: Profile, *, name: str) -> Authority:
        """A further authority below `above`, or a root where that is None."""
        signer = SoftwareSigner.generate(self._suite)
        subject = {"C": "CN", "O": "印信测试", "CN": name}
        certificate = self.certify(above, profile, subject=subject, signer=signer)
        chain: tuple[bytes, ...] = ()
        if above is not None and above.chain:
            chain = (above.certificate, *above.chain)
        elif above is not None and not above.parsed.self_issued:
            chain = (above.certificate,)
        return Authority(certificate=certificate, signer=signer, chain=chain)

    def cross(self, root: Authority, *, by: Authority) -> Authority:
        """A root's key certified by another key of the same root (RFC 4210 §4.4)."""
        names = {"C": "CN", "O": "印信测试", "CN": str(root.parsed.common_name)}
        made = self.certify(by, PROFILES[ProfileName.CROSS], subject=names, signer=root.signer)
        return Authority(certificate=made, signer=root.signer, chain=())

    def certify(
        self,
        above: Authority | None,
        profile: Profile,
        *,
        subject: Mapping[str, str],
        signer: SoftwareSigner,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> bytes:
        """A certificate as the profile says, valid from a day ago for a year (authorities: the profile's time)."""
        starts = not_before or self.now - timedelta(days=1)
        life = profile.validity if profile.is_authority else min(profile.validity, timedelta(days=365))
        issuer = above or Authority(certificate=b"", signer=signer, chain=())
        data = CertificateRequestData(
            profile=profile,
            subject=subject,
            spki=signer.spki,
            serial=self._serial(),
            issuer_name=None if above is None else above.parsed.subject,
            issuer_spki=issuer.signer.spki,
            issuer_suite=issuer.signer.suite,
            not_before=starts,
            not_after=not_after or starts + life,
            crl_url=None if above is None else "http://crl.example.test/authority.crl",
        )
        tbs = build_tbs(data)
        return assemble(tbs, issuer.signer.suite, issuer.signer.sign(tbs))

    def leaf(
        self,
        profile: ProfileName | Profile = ProfileName.SEAL,
        *,
        subject: Mapping[str, str] | None = None,
        authority: Authority | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        suite: Suite | None = None,
    ) -> Leaf:
        """A certificate and key by profile; `subject` overrides the default attributes."""
        row = PROFILES[profile] if isinstance(profile, ProfileName) else profile
        above = authority or self.issuing
        signer = SoftwareSigner.generate(suite or self._suite)
        names = {key: text for key, text in _SUBJECT.items() if key in row.required}
        certificate = self.certify(
            above,
            row,
            subject={**names, **(subject or {})},
            signer=signer,
            not_before=not_before,
            not_after=not_after,
        )
        is_root = above.parsed.self_issued
        chain = above.chain if is_root else (above.certificate, *above.chain)
        return Leaf(certificate=certificate, chain=chain, signer=signer)

    def revoke(
        self,
        leaf: Leaf | Authority,
        *,
        at: datetime | None = None,
        reason: RevocationReason | None = None,
        authority: Authority | None = None,
    ) -> None:
        """Puts a certificate on its authority's coming lists."""
        above = authority or (self.root if isinstance(leaf, Authority) else self.issuing)
        above.revoked.append(Revoked(serial=leaf.parsed.serial, at=at or self.now, reason=reason))

    def crl(
        self,
        authority: Authority | None = None,
        *,
        this_update: datetime | None = None,
        next_update: datetime | None = None,
        revoked: Sequence[Revoked] | None = None,
        signer: SoftwareSigner | None = None,
    ) -> bytes:
        """An authority's list (the issuing authority's by default) with what it has revoked."""
        above = authority or self.issuing
        starts = this_update or self.now - timedelta(hours=1)
        key = signer or above.signer
        tbs = build_tbs_crl(
            issuer=above.parsed.subject,
            number=next(self._numbers),
            this_update=starts,
            next_update=next_update or starts + CRL_LIFE,
            revoked=above.revoked if revoked is None else revoked,
            aki=key_identifier(above.signer.spki),
            suite=key.suite,
        )
        return assemble(tbs, key.suite, key.sign(tbs))

    def trust_store(self, *, with_crls: bool = True) -> TrustStore:
        """What a verifier needs: the root, the issuing authority, and their current lists."""
        crls = (self.crl(self.root), self.crl(self.issuing)) if with_crls else ()
        return TrustStore(
            anchors=(self.root.certificate,), intermediates=(self.issuing.certificate,), crls=crls
        )

    @property
    def timestamp_authority(self) -> Leaf:
        """The certificate and key that sign tokens."""
        if self._timestamp is None:
            self._timestamp = self.leaf(ProfileName.TIMESTAMP, subject={"CN": "印信测试时间戳"})
        return self._timestamp

    def token(
        self,
        imprint: bytes,
        *,
        gen_time: datetime | None = None,
        nonce: int | None = None,
        authority: Leaf | None = None,
    ) -> bytes:
        """A timestamp token over a SHA-256 digest."""
        stamping = authority or self.timestamp_authority
        info = build_tst_info(
            imprint=imprint,
            serial=self._serial(),
            gen_time=gen_time or self.now,
            policy_oid=TIMESTAMP_POLICY,
            nonce=nonce,
            accuracy=timedelta(seconds=1),
        )
        return build_token(info, identity=stamping.identity, signer=stamping.signer)

    def _serial(self) -> int:
        """Distinct, and as long and as spread as a random one."""
        return int.from_bytes(sha256(next(self._numbers).to_bytes(4, "big")).digest()[:19], "big") | 1 << 144


def with_profile(name: ProfileName, **changes: object) -> Profile:
    """A profile changed in some respect, for certificates that must be refused."""
    return replace(PROFILES[name], **changes)  # type: ignore[arg-type]  # the test names real fields
