"""Supervision's place in services that tests put together by hand: nobody counts strangers' attempts there."""

from contextlib import nullcontext
from types import SimpleNamespace

UNCOUNTED = SimpleNamespace(attempts=SimpleNamespace(watched=lambda _address: nullcontext()))
