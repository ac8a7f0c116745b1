"""Passwords and user names: what is taken, and argon2id over it (RFC 9106)."""

import re
import threading
import unicodedata
from dataclasses import dataclass
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from identity.errors import PasswordRefused, UsernameRefused
from identity.numbers import ResidentIdNumber, ResidentIdNumberInvalid
from trust.kernel.randomness import Randomness

# NIST SP 800-63B asks for 8 at least; with no second factor yet, more. The upper limit only bounds the work.
MIN_PASSWORD_CHARACTERS: Final = 12
MAX_PASSWORD_CHARACTERS: Final = 128
MIN_DIFFERENT_CHARACTERS: Final = 5
# Each hash takes `memory_kib`; more at once than this would let strangers fill the memory.
MAX_HASHES_AT_ONCE: Final = 4
_SALT_OCTETS: Final = 16
_USERNAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{1,62})[a-z0-9]\Z")


@dataclass(frozen=True, kw_only=True)
class HashCost:
    """The cost of one hash; the default is RFC 9106 §4's second recommendation (64 MiB, three passes)."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


class Passwords:
    """Hashes and compares passwords, doing the same work whether the account exists or not."""

    def __init__(self, *, randomness: Randomness, cost: HashCost) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        self._randomness = randomness
        self._turns = threading.BoundedSemaphore(MAX_HASHES_AT_ONCE)
        self._nobody = self.hash(randomness.octets(32).hex())

    def hash(self, password: str) -> str:
        """A PHC string of argon2id with a fresh salt."""
        with self._turns:
            return self._hasher.hash(_octets(password), salt=self._randomness.octets(_SALT_OCTETS))

    def match(self, password: str, known: str | None) -> bool:
        """Whether the password is the one hashed; None, for an unknown account, costs the same and never is."""
        with self._turns:
            try:
                self._hasher.verify(known or self._nobody, _octets(password))
            except (VerificationError, InvalidHashError):
                return False
        return known is not None


def accepted_username(text: str) -> str:
    """A new user name, folded to lower case; raises UsernameRefused."""
    username = folded_username(text)
    if not _USERNAME.match(username):
        raise UsernameRefused(
            "a user name has 3 to 64 of the letters a-z, digits and . _ @ + -, and begins and ends with a "
            "letter or digit"
        )
    try:
        ResidentIdNumber.parse(username)
    except ResidentIdNumberInvalid:
        return username
    raise UsernameRefused("a resident id number is not taken as a user name: user names are shown and typed")


def folded_username(text: str) -> str:
    """The form in which user names are compared; takes anything."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def accepted_password(text: str, *, username: str) -> str:
    """A new password as given; raises PasswordRefused, which never repeats it."""
    if not MIN_PASSWORD_CHARACTERS <= len(text) <= MAX_PASSWORD_CHARACTERS:
        raise PasswordRefused(
            f"a password has {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters"
        )
    if username in folded_username(text):
        raise PasswordRefused("the password holds the user name; choose another")
    if len(set(text)) < MIN_DIFFERENT_CHARACTERS:
        raise PasswordRefused(f"a password has at least {MIN_DIFFERENT_CHARACTERS} different characters")
    return text


def _octets(password: str) -> bytes:
    # The same password typed on another keyboard may arrive composed otherwise (NIST SP 800-63B §5.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
