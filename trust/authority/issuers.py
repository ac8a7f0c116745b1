"""Who issues: each key that an authority's label has ever been bound to, under the name it has in URLs.

An authority whose key is replaced goes on under a new generation; what the older key has issued stays that key's to
revoke. `identity` is the first generation, `identity-2` the second. A key bound again under the same label is the
same generation with a renewed certificate.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from trust.authority.model import AUTHORITY_LABEL
from trust.crypto import der_reader
from trust.crypto.digests import Digest, digest_of
from trust.keys.errors import KeyNotUsable
from trust.keys.model import KeyBinding, KeyId, KeyInfo, KeyPurpose
from trust.keys.repository import KeyBindings
from trust.pki.certificate import read_certificate
from trust.storage.database import ReadWork

# What a URL may name; an authority's own name never ends in a hyphen and digits, or it would be a generation's.
ISSUER_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """One generation of an authority: its key and the newest certificate of that key (DER), chain nearest first.

    The key of one that is `offline` lies on another machine: its signatures come in as files.
    """

    authority: str
    generation: int
    key_id: KeyId
    suite: str
    spki: bytes
    certificate: bytes
    chain: tuple[bytes, ...]
    offline: bool = False

    @property
    def name(self) -> str:
        """The name in URLs and labels."""
        return self.authority if self.generation == 1 else f"{self.authority}-{self.generation}"

    @property
    def binding(self) -> KeyBinding:
        """The key as it is bound, which is how the signer's certificates are built and compared."""
        return KeyBinding(
            key_id=self.key_id,
            label=f"{AUTHORITY_LABEL}{self.authority}",
            purpose=KeyPurpose.AUTHORITY,
            suite=self.suite,
            spki=self.spki,
            certificate=self.certificate,
            chain=self.chain,
        )

    @property
    def key(self) -> KeyInfo:
        """The key as everybody may know it."""
        return KeyInfo(key_id=self.key_id, purpose=KeyPurpose.AUTHORITY, suite=self.suite, spki=self.spki)

    def is_meant(self, digest: Digest, *, name_hash: bytes, key_hash: bytes) -> bool:
        """Whether these are the digests of this issuer's name and key (RFC 6960 §4.1.1)."""
        return (name_hash, key_hash) == self.hashes(digest)

    def hashes(self, digest: Digest) -> tuple[bytes, bytes]:
        """issuerNameHash and issuerKeyHash (RFC 6960 §4.1.1)."""
        return issuer_hashes(self.certificate, digest)


def issuer_hashes(certificate: bytes, digest: Digest) -> tuple[bytes, bytes]:
    """issuerNameHash and issuerKeyHash of an authority's certificate (RFC 6960 §4.1.1)."""
    issuer = read_certificate(certificate)
    key = der_reader.read(issuer.spki).children()[1].content[1:]
    return digest_of(issuer.subject, digest), digest_of(key, digest)


class Issuers:
    """The issuers on record."""

    def __init__(self, work: ReadWork) -> None:
        self._bindings = KeyBindings(work)

    def all(self) -> tuple[Issuer, ...]:
        """Every issuer, by authority in the order of their first binding, then by generation."""
        by_label: dict[str, list[KeyBinding]] = {}
        for binding in self._bindings.labelled(AUTHORITY_LABEL):
            by_label.setdefault(binding.label, []).append(binding)
        return tuple(issuer for bindings in by_label.values() for issuer in _generations(bindings))

    def of(self, authority: str) -> tuple[Issuer, ...]:
        """The generations of one authority, oldest first; empty where there is no such authority."""
        return _generations(self._bindings.of_label(f"{AUTHORITY_LABEL}{authority}"))

    def current(self, authority: str) -> Issuer:
        """The generation that issues now; raises KeyNotUsable where the authority has no key."""
        generations = self.of(authority)
        if not generations:
            raise KeyNotUsable(
                f"no key is bound to {AUTHORITY_LABEL}{authority}; has the ceremony been held?"
            )
        return generations[-1]

    def named(self, name: str) -> Issuer | None:
        """The issuer of a name in a URL."""
        if not ISSUER_NAME.fullmatch(name):
            return None
        return next((issuer for issuer in self.all() if issuer.name == name), None)

    def of_key(self, key_id: str) -> Issuer | None:
        """The issuer whose key this is."""
        return next((issuer for issuer in self.all() if issuer.key_id == key_id), None)

    def meant(self, digest: Digest, *, name_hash: bytes, key_hash: bytes) -> Issuer | None:
        """The issuer whose name and key have these digests (RFC 6960 §4.1.1)."""
        return next(
            (
                issuer
                for issuer in self.all()
                if issuer.is_meant(digest, name_hash=name_hash, key_hash=key_hash)
            ),
            None,
        )


def _generations(bindings: Iterable[KeyBinding]) -> tuple[Issuer, ...]:
    """The bindings of one label, oldest first, as issuers: one for each key, with its newest certificate."""
    newest: dict[KeyId, KeyBinding] = {}
    for binding in bindings:
        newest[binding.key_id] = binding  # a key bound again keeps its place
    return tuple(
        Issuer(
            authority=binding.label.removeprefix(AUTHORITY_LABEL),
            generation=generation,
            key_id=binding.key_id,
            suite=binding.suite,
            spki=binding.spki,
            certificate=binding.certificate,
            chain=binding.chain,
            offline=binding.purpose is KeyPurpose.OFFLINE_AUTHORITY,
        )
        for generation, binding in enumerate(newest.values(), start=1)
        if binding.certificate is not None
    )
