"""A PKCS #11 module loaded so that threads may be inside it together.

python-pkcs11 initialises a module by C_Initialize(NULL), by which an application promises that only one thread at a
time calls it (PKCS #11 v3.0 §5.4.1); SoftHSM takes it at its word and corrupts its memory when two do. So the module
is finalised once more and initialised with CKF_OS_LOCKING_OK, through its own function list.
"""

import contextlib
import ctypes
import importlib
from types import ModuleType
from typing import Any, Final

from trust.keys.errors import KeyStoreAway, KeyStoreRefused

_OK: Final = 0
_NOT_INITIALISED: Final = 0x190  # CKR_CRYPTOKI_NOT_INITIALIZED
_OS_LOCKING_OK: Final = 0x2


class _InitializeArguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (PKCS #11 v3.0 §3.7): no mutexes of ours, those of the operating system."""

    _fields_ = (
        ("mutexes", ctypes.c_void_p * 4),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class _FunctionList(ctypes.Structure):
    """The beginning of CK_FUNCTION_LIST, the same in every version since 2.0."""

    _fields_ = (
        ("version", ctypes.c_ubyte * 2),
        ("initialize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)),
    )


def load_pkcs11() -> ModuleType:
    """python-pkcs11, which only deployments with a token have; raises KeyStoreRefused where it is missing."""
    try:
        return importlib.import_module("pkcs11")
    except ImportError as fault:
        raise KeyStoreRefused(
            "keys in a token need python-pkcs11; install yinxin with its extra `pkcs11`"
        ) from fault


class Pkcs11Module:
    """The module at a path; `tokens` is python-pkcs11's view of it."""

    def __init__(self, path: str) -> None:
        """Raises KeyStoreRefused where it cannot be loaded or is no PKCS #11 module."""
        self._path = path
        library = load_pkcs11()
        try:
            self.tokens: Any = library.lib(path)
            functions = ctypes.POINTER(_FunctionList)()
            answer = ctypes.CDLL(path).C_GetFunctionList(ctypes.byref(functions))
        except (OSError, RuntimeError, AttributeError) as fault:
            raise KeyStoreRefused(
                f"the PKCS #11 module {path} cannot be loaded: {type(fault).__name__}"
            ) from fault
        if answer != _OK:
            raise KeyStoreRefused(f"the PKCS #11 module {path} gives no functions")
        self._functions = functions.contents
        self.begin_anew()

    def begin_anew(self) -> None:
        """Finalises and initialises the module; every session with it is gone. Nobody may be inside it."""
        with contextlib.suppress(OSError):
            ended = self._functions.finalize(None)
            if ended not in (_OK, _NOT_INITIALISED):
                raise KeyStoreAway(f"the PKCS #11 module {self._path} does not end (CKR 0x{ended:x})")
        arguments = _InitializeArguments(flags=_OS_LOCKING_OK)
        begun = self._functions.initialize(ctypes.byref(arguments))
        if begun != _OK:
            raise KeyStoreAway(f"the PKCS #11 module {self._path} does not begin (CKR 0x{begun:x})")
