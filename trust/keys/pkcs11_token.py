"""A PKCS #11 token as the signer uses it: logged in once, a bounded pool of sessions, recovery from its restart.

A session is used by one thread at a time. What a session says when it, its login or its handles are gone makes that
session go; the work is done once more on another, and where that fails too the module is begun anew (C_Finalize,
C_Initialize, login) when nobody is inside it. The PIN is kept here and nowhere else, and appears in no message; a
token that refuses it is not asked again, for it counts refusals and locks itself.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

import structlog

from trust.keys.errors import KeyStoreAway, KeyStoreRefused
from trust.keys.pkcs11_module import Pkcs11Module, load_pkcs11

# Beginning the module anew takes it from everybody: where that has helped nobody since, or only an object is missing,
# it is done at most so often.
_RESTART_PAUSE_SECONDS: Final = 1.0
# Whoever waits longer for a session meets a fault, not a queue.
_WAIT_SECONDS: Final = 10.0
# Objects a session remembers by their id; finding one costs about twice what signing does.
_MAX_REMEMBERED: Final = 1000
_log = structlog.get_logger("yinxin.signer")

Result = TypeVar("Result")
# python-pkcs11 has no types for what its modules return.
Pkcs11Object: TypeAlias = Any


class ObjectMissing(Exception):
    """The token does not hold the object; it may also have been changed under a session that does not see it."""


class TokenSession:
    """One session, and the objects it has found."""

    def __init__(self, inner: Pkcs11Object, library: Pkcs11Object) -> None:
        self.inner = inner
        self._library = library
        self._found: dict[tuple[int, bytes], Pkcs11Object] = {}

    def object(self, kind: Pkcs11Object, object_id: bytes) -> Pkcs11Object:
        """The object of this class and CKA_ID; raises ObjectMissing."""
        remembered = self._found.get((int(kind), object_id))
        if remembered is not None:
            return remembered
        found = self.objects(kind, object_id)
        if not found:
            raise ObjectMissing
        if len(self._found) >= _MAX_REMEMBERED:
            self._found.clear()
        self._found[int(kind), object_id] = found[0]
        return found[0]

    def objects(self, kind: Pkcs11Object, object_id: bytes) -> list[Pkcs11Object]:
        """Every object of this class and CKA_ID."""
        attribute = self._library.Attribute
        return list(self.inner.get_objects({attribute.CLASS: kind, attribute.ID: object_id}))

    def forget(self, object_id: bytes) -> None:
        """Looks for the objects of this id anew."""
        self._found = {key: value for key, value in self._found.items() if key[1] != object_id}


class Pkcs11Token:
    """The token with this label behind this module; safe to share between threads.

    Raises KeyStoreRefused where python-pkcs11 is not installed, the module cannot be loaded or the PIN is refused,
    and KeyStoreAway where the token is not there.
    """

    def __init__(self, *, module: str, label: str, pin: str, sessions: int) -> None:
        self.library: Pkcs11Object = load_pkcs11()
        self._module_path = module
        self.label = label
        self._pin = pin
        self._pin_refused = False
        self._most = sessions
        self._module: Pkcs11Module | None = None
        self._login: Pkcs11Object = None
        self._idle: list[TokenSession] = []
        self._open = 0
        self._inside = 0
        self._restarting = False
        self._worked = False
        self._generation = 0
        self._restarted_at = -_RESTART_PAUSE_SECONDS
        self._changed = threading.Condition()
        with self._named_faults():
            self._begin()

    def run(self, work: Callable[[TokenSession], Result]) -> Result:
        """Does the work on a session; once more on another, and once after a restart, where a session has died.

        `work` may be done again from its beginning, so nothing outside the token may come of it before it returns.
        Raises ObjectMissing where it does, KeyStoreAway where the token does not answer.
        """
        if self._login is None and not self._restart():
            raise self._away()
        try:
            return self._once(work)
        except (ObjectMissing, self.library.PKCS11Error) as first:
            self._stumbled(first)
        try:
            return self._once(work)
        except (ObjectMissing, self.library.PKCS11Error) as second:
            self._stumbled(second)
            if not self._restart(helped=self._worked and not isinstance(second, ObjectMissing)):
                if isinstance(second, ObjectMissing):
                    raise
                raise self._away() from second
        try:
            return self._once(work)
        except self.library.PKCS11Error as third:
            raise self._away() from third

    def look_again(self) -> None:
        """Begins the module anew, so that what is said of the token is said of the one that is there now.

        Raises KeyStoreAway where it is not.
        """
        self._restart(at_once=True)

    def offers(self, *mechanisms: Pkcs11Object) -> bool:
        """Whether the token has all of these mechanisms."""
        with self._named_faults():
            offered = self._token().slot.get_mechanisms()
        return all(mechanism in offered for mechanism in mechanisms)

    def describe(self) -> str:
        """Label, model and serial number, as the token says them."""
        with self._named_faults():
            token = self._token()
        serial = bytes(token.serial).decode("ascii", "replace").strip()
        return f"{token.label} ({str(token.model).strip()}, serial {serial})"

    def _once(self, work: Callable[[TokenSession], Result]) -> Result:
        with self._session() as session:
            result = work(session)
        self._worked = True
        return result

    @contextmanager
    def _session(self) -> Iterator[TokenSession]:
        """A session of this thread's own; one whose work failed does not come back."""
        generation, session = self._take()
        try:
            if session is None:
                session = TokenSession(self._token().open(rw=True), self.library)
            yield session
        except BaseException:
            self._give_back(generation, None)
            if session is not None:
                self._discard(generation, session)
            raise
        self._give_back(generation, session)

    def _take(self) -> tuple[int, TokenSession | None]:
        """A place in the module, with an idle session where there is one."""
        until = time.monotonic() + _WAIT_SECONDS
        with self._changed:
            while self._restarting or (not self._idle and self._open >= self._most):
                if not self._changed.wait(until - time.monotonic()) and time.monotonic() >= until:
                    raise KeyStoreAway("every session with the token is in use; try again later")
            if self._login is None:
                raise self._away()
            self._inside += 1
            if self._idle:
                return self._generation, self._idle.pop()
            self._open += 1
            return self._generation, None

    def _give_back(self, generation: int, session: TokenSession | None) -> None:
        with self._changed:
            self._inside -= 1
            if generation == self._generation:
                if session is None:
                    self._open -= 1
                else:
                    self._idle.append(session)
            self._changed.notify_all()

    def _discard(self, generation: int, session: TokenSession) -> None:
        with self._changed:
            if generation != self._generation or self._restarting:
                return  # its module was begun anew, and it went with it
            self._inside += 1
        try:
            session.inner.close()
        except self.library.PKCS11Error:
            pass  # it was dead already
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def _stumbled(self, fault: BaseException) -> None:
        if not isinstance(fault, ObjectMissing):
            _log.warning("token.stumbled", token=self.label, fault=type(fault).__name__)

    def _restart(self, *, helped: bool = False, at_once: bool = False) -> bool:
        """Begins the module anew when nobody is inside; False where that was done a moment ago.

        Raises KeyStoreAway where the token is not there, KeyStoreRefused where it refuses the PIN.
        """
        asked = time.monotonic()
        with self._changed:
            while self._restarting:
                self._changed.wait()
            if self._restarted_at >= asked:
                return True  # somebody else did it while we waited
            if not (at_once or helped) and asked - self._restarted_at < _RESTART_PAUSE_SECONDS:
                return False
            self._restarting, self._worked = True, False
            while self._inside:
                self._changed.wait()
        try:
            with self._named_faults():
                self._begin()
            _log.warning("token.begun-anew", token=self.label)
        finally:
            with self._changed:
                self._restarting = False
                self._restarted_at = time.monotonic()
                self._changed.notify_all()
        return True

    def _begin(self) -> None:
        """Loads or reloads the module and logs in; every session from before is gone."""
        if self._pin_refused:
            raise KeyStoreRefused(
                f"the token {self.label} refused the PIN; it is not tried again before a restart"
            )
        self._generation += 1
        self._idle, self._open, self._login = [], 0, None
        if self._module is None:
            self._module = Pkcs11Module(self._module_path)
        else:
            self._module.begin_anew()
        # The one session that holds the login: it is never used and never closed, for closing it would log out.
        self._login = self._logged_in()

    def _logged_in(self) -> Pkcs11Object:
        token = self._token()
        try:
            return token.open(rw=True, user_pin=self._pin)
        except self.library.UserAlreadyLoggedIn:
            return token.open(rw=True)  # another of our own holds the login; it holds for the whole process
        except (self.library.PinIncorrect, self.library.PinLenRange, self.library.PinInvalid) as fault:
            self._pin_refused = True
            raise KeyStoreRefused(f"the token {self.label} refused the PIN") from fault
        except self.library.PinLocked as fault:
            self._pin_refused = True
            raise KeyStoreRefused(f"the token {self.label} has locked its PIN") from fault

    def _token(self) -> Pkcs11Object:
        if self._module is None:
            raise self._away()
        return self._module.tokens.get_token(token_label=self.label)

    def _away(self) -> KeyStoreAway:
        return KeyStoreAway(f"the token {self.label} does not answer; try again later")

    @contextmanager
    def _named_faults(self) -> Iterator[None]:
        """Nothing a module says goes further than its kind: what it was told with the PIN stays here."""
        try:
            yield
        except self.library.PKCS11Error as fault:
            raise self._away() from fault
