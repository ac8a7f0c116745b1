"""Disclosures and digests: hiding claims when issuing, finding them again when reading (RFC 9901 §4, §7.1).

A path names a field from the top: `("address", "street")`, `("grades", 2)`. Array positions are those
of the signed array, in which an undisclosed element still has its place.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trust.credentials.encoding import (
    MAX_JSON_DEPTH,
    base64url_decode,
    base64url_encode,
    read_json,
    write_json,
)
from trust.credentials.errors import CredentialMalformed, DisclosureRefused, FieldUnknown
from trust.kernel.randomness import Randomness

Path = tuple[str | int, ...]

DIGESTS = "_sd"
ELEMENT = "..."
DIGEST_ALGORITHM = "_sd_alg"
SHA_256 = "sha-256"
RESERVED_NAMES = frozenset({DIGESTS, ELEMENT, DIGEST_ALGORITHM})

DIGEST_OCTETS = 32
SALT_OCTETS = 16  # RFC 9901 §9.3: 128 bits

# A licence has tens of fields; each disclosure costs a hash and a JSON parse.
MAX_DISCLOSURES = 1_000
MAX_DISCLOSURE_CHARACTERS = 65_536


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """One disclosure: its encoded form, which alone is hashed, and what it says.

    `name` is None for an element of an array.
    """

    encoded: str
    salt: str
    name: str | None
    value: Any

    @classmethod
    def make(cls, *, salt: str, name: str | None, value: Any) -> "Disclosure":
        parts = [salt, value] if name is None else [salt, name, value]
        return cls(encoded=base64url_encode(write_json(parts)), salt=salt, name=name, value=value)

    @classmethod
    def parse(cls, encoded: str) -> "Disclosure":
        """Reads `[salt, name, value]` or `[salt, value]` (RFC 9901 §4.2); raises `CredentialMalformed`."""
        if len(encoded) > MAX_DISCLOSURE_CHARACTERS:
            raise CredentialMalformed(f"a disclosure has at most {MAX_DISCLOSURE_CHARACTERS} characters")
        parts = read_json(base64url_decode(encoded, "a disclosure"), "a disclosure")
        if not isinstance(parts, list) or len(parts) not in {2, 3}:
            raise CredentialMalformed("a disclosure is an array of salt, name and value, or salt and value")
        if not all(isinstance(part, str) for part in parts[:-1]):
            raise CredentialMalformed("a disclosure's salt and name are strings")
        name = parts[1] if len(parts) == 3 else None
        if name in RESERVED_NAMES:
            raise CredentialMalformed(f"a disclosure must not be named {name}")
        return cls(encoded=encoded, salt=parts[0], name=name, value=parts[-1])

    @property
    def digest(self) -> str:
        """SHA-256 over the encoded form's ASCII, base64url, whole (RFC 9901 §4.2.3)."""
        return base64url_encode(hashlib.sha256(self.encoded.encode("ascii")).digest())


def issue_payload(
    claims: Mapping[str, Any],
    selectively_disclosable: Sequence[Path],
    randomness: Randomness,
    *,
    decoys: int = 0,
) -> tuple[dict[str, Any], list[Disclosure]]:
    """The payload to be signed, with digests for the fields at these paths, and their disclosures.

    A field inside a hidden field is hidden within its disclosure (RFC 9901 §6.3). `decoys` digests that
    hide nothing are added to every object that has digests (§4.2.5). Digests are sorted, so that their
    order says nothing. Raises `FieldUnknown` for a path that is not in the claims and
    `CredentialMalformed` where a claim has a reserved name.
    """
    concealment = _Concealment(frozenset(selectively_disclosable), randomness, decoys)
    payload = concealment.object(claims, ())
    missing = concealment.chosen - concealment.met
    if missing:
        raise FieldUnknown(f"no claim at {', '.join(sorted(map(path_text, missing)))}")
    if concealment.disclosures:
        payload[DIGEST_ALGORITHM] = SHA_256
    return payload, concealment.disclosures


class _Concealment:
    def __init__(self, chosen: frozenset[Path], randomness: Randomness, decoys: int) -> None:
        self.chosen = chosen
        self.met: set[Path] = set()
        self.disclosures: list[Disclosure] = []
        self._randomness = randomness
        self._decoys = decoys

    def object(self, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        digests: list[str] = []
        for name, item in value.items():
            if not isinstance(name, str) or name in RESERVED_NAMES:
                raise CredentialMalformed(f"a claim must not be named {name}")
            inner = self._value(item, (*path, name))
            if (*path, name) in self.chosen:
                digests.append(self._disclose((*path, name), name, inner))
            else:
                shown[name] = inner
        if digests:
            hidden = [self._randomness.octets(DIGEST_OCTETS) for _ in range(self._decoys)]
            digests += [base64url_encode(hashlib.sha256(octets).digest()) for octets in hidden]
            shown[DIGESTS] = sorted(digests)
        return shown

    def _value(self, value: Any, path: Path) -> Any:
        if len(path) > MAX_JSON_DEPTH:
            raise CredentialMalformed(f"the claims are nested deeper than {MAX_JSON_DEPTH} levels")
        if isinstance(value, Mapping):
            return self.object(value, path)
        if isinstance(value, list | tuple):
            return [self._element(item, (*path, position)) for position, item in enumerate(value)]
        return value

    def _element(self, item: Any, path: Path) -> Any:
        inner = self._value(item, path)
        return {ELEMENT: self._disclose(path, None, inner)} if path in self.chosen else inner

    def _disclose(self, path: Path, name: str | None, value: Any) -> str:
        salt = base64url_encode(self._randomness.octets(SALT_OCTETS))
        disclosure = Disclosure.make(salt=salt, name=name, value=value)
        self.met.add(path)
        self.disclosures.append(disclosure)
        return disclosure.digest


@dataclass(frozen=True, kw_only=True)
class ProcessedPayload:
    """What the disclosures make of a signed payload: the claims, and the disclosure at each path."""

    claims: dict[str, Any]
    disclosed: Mapping[Path, Disclosure]
    fields: frozenset[Path]  # every field that is there, disclosed or always visible


def process(payload: Mapping[str, Any], encoded_disclosures: Sequence[str]) -> ProcessedPayload:
    """Puts the disclosed claims in place (RFC 9901 §7.1, steps 3 to 5).

    Raises `CredentialMalformed` where a disclosure or the payload's digests are out of form, and
    `DisclosureRefused` for duplicate digests, names that collide, and disclosures that nothing in the
    payload refers to.
    """
    if len(encoded_disclosures) > MAX_DISCLOSURES:
        raise CredentialMalformed(f"a credential has at most {MAX_DISCLOSURES} disclosures")
    if payload.get(DIGEST_ALGORITHM, SHA_256) != SHA_256:
        raise CredentialMalformed("the disclosures' hash algorithm is not sha-256, the only one taken")
    if len(set(encoded_disclosures)) != len(encoded_disclosures):
        raise DisclosureRefused("a disclosure is given twice")
    disclosures = [Disclosure.parse(encoded) for encoded in encoded_disclosures]
    reading = _Reading({disclosure.digest: disclosure for disclosure in disclosures})
    top = {name: item for name, item in payload.items() if name != DIGEST_ALGORITHM}
    claims = reading.object(top, ())
    unreferenced = len(disclosures) - len(reading.disclosed)
    if unreferenced:
        raise DisclosureRefused(f"the signed payload does not refer to {unreferenced} of the disclosures")
    return ProcessedPayload(claims=claims, disclosed=reading.disclosed, fields=frozenset(reading.fields))


class _Reading:
    def __init__(self, by_digest: Mapping[str, Disclosure]) -> None:
        self._by_digest = by_digest
        self._seen: set[str] = set()
        self.disclosed: dict[Path, Disclosure] = {}
        self.fields: set[Path] = set()

    def object(self, value: Mapping[str, Any], path: Path) -> dict[str, Any]:
        if ELEMENT in value:
            raise CredentialMalformed(f"{ELEMENT} stands where no array element is hidden")
        claims = {name: self._value(item, (*path, name)) for name, item in value.items() if name != DIGESTS}
        digests = value.get(DIGESTS, [])
        if not isinstance(digests, list):
            raise CredentialMalformed(f"{DIGESTS} is not an array of digests")
        for digest in digests:
            disclosure = self._look_up(digest)
            if disclosure is None:
                continue
            if disclosure.name is None:
                raise DisclosureRefused("a disclosure without a name is used for a claim of an object")
            if disclosure.name in claims:
                raise DisclosureRefused(f"the claim {disclosure.name} is there twice")
            claims[disclosure.name] = self._disclose(disclosure, (*path, disclosure.name))
        return claims

    def _value(self, value: Any, path: Path) -> Any:
        if len(path) > MAX_JSON_DEPTH:
            raise CredentialMalformed(f"the claims are nested deeper than {MAX_JSON_DEPTH} levels")
        self.fields.add(path)
        if isinstance(value, dict):
            return self.object(value, path)
        if isinstance(value, list):
            return self._array(value, path)
        return value

    def _array(self, elements: list[Any], path: Path) -> list[Any]:
        shown: list[Any] = []
        for position, element in enumerate(elements):
            if not (isinstance(element, dict) and ELEMENT in element):
                shown.append(self._value(element, (*path, position)))
                continue
            if len(element) != 1:
                raise CredentialMalformed(f"an object with {ELEMENT} has other names beside it")
            disclosure = self._look_up(element[ELEMENT])
            if disclosure is None:
                continue
            if disclosure.name is not None:
                raise DisclosureRefused("a disclosure with a name is used for an element of an array")
            shown.append(self._disclose(disclosure, (*path, position)))
        return shown

    def _look_up(self, digest: Any) -> Disclosure | None:
        if not isinstance(digest, str) or len(base64url_decode(digest, "a digest")) != DIGEST_OCTETS:
            raise CredentialMalformed("a digest in the payload is not the whole of a SHA-256 in base64url")
        if digest in self._seen:
            raise DisclosureRefused("a digest stands twice in the payload")
        self._seen.add(digest)
        return self._by_digest.get(digest)

    def _disclose(self, disclosure: Disclosure, path: Path) -> Any:
        self.disclosed[path] = disclosure
        return self._value(disclosure.value, path)


def path_text(path: Path) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
