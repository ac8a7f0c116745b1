"""What the signer does for the timestamp authority: tokens, one or many in a call, by a clock that is guarded."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from trust.crypto.digests import Digest
from trust.kernel.clock import rfc3339
from trust.kernel.errors import Broken, Malformed, YinxinError
from trust.kernel.randomness import Randomness
from trust.keys import wire
from trust.keys.identities import Identities
from trust.keys.keyring import Keyring
from trust.keys.model import KeyId, KeyPurpose
from trust.keys.server import MAX_BATCH, Operation, refused
from trust.keys.stamping.clock import StampingClock
from trust.keys.stamping.model import ClockStanding
from trust.timestamp.tokens import build_token, build_tst_info

# 127 random bits: unique across processes and restarts without anything kept. Of 10^12 tokens the chance that any
# two are alike is below 10^-14; RFC 3161 §2.4.2 lets a serial have 160 bits.
_SERIAL_OCTETS: Final = 16
_log = structlog.get_logger("yinxin.signer")


class TimestampSigning:
    """Makes RFC 3161 tokens at the signer's own time; what is not a TSTInfo built here is not signed."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        identities: Identities,
        clock: StampingClock,
        randomness: Randomness,
    ) -> None:
        self._keyring = keyring
        self._identities = identities
        self._clock = clock
        self._randomness = randomness

    def by_name(self) -> Mapping[str, Operation]:
        """The operations by the names a client asks for."""
        return {
            "timestamp": self.timestamp,
            "timestamp-batch": self.timestamp_batch,
            "timestamp-clock": self.timestamp_clock,
            "resume-timestamps": self.resume_timestamps,
        }

    def timestamp(self, message: dict[str, Any]) -> dict[str, Any]:
        """One token: `imprint` with its `algorithm`, `policy`, and `nonce` and `cert_req` where given."""
        return self._stamp(message)(message)

    def timestamp_batch(self, message: dict[str, Any]) -> dict[str, Any]:
        """A token or a refusal for each of `items`, which are as for one; every token has a time of its own.

        Where the time is not trusted, or the key cannot be used, there are no items but one error for all.
        """
        items = message["items"]
        if not isinstance(items, list) or len(items) > MAX_BATCH:
            raise Malformed(f"a batch is a list of at most {MAX_BATCH} items")
        stamp = self._stamp(message)
        self._clock.now()  # so that a clock that stepped is the answer to the whole call
        return {"items": [_each(stamp, item) for item in items]}

    def timestamp_clock(self, message: dict[str, Any]) -> dict[str, Any]:
        """How the clock stands, with its changes after a position where one is given."""
        after = message.get("changes_after")
        return _told(self._clock.standing(changes_after=None if after is None else int(after)))

    def resume_timestamps(self, _message: dict[str, Any]) -> dict[str, Any]:
        """An operator says that the clock is right as it is."""
        return _told(self._clock.resume())

    def _stamp(self, message: Mapping[str, Any]) -> Callable[[Any], dict[str, Any]]:
        """What makes the token of an item, by the key that the message names."""
        held = self._keyring.open(KeyId(message["key_id"]), KeyPurpose.TIMESTAMP)
        identity = self._identities.identity(held)

        def stamp(item: Any) -> dict[str, Any]:
            nonce = item.get("nonce")
            content = build_tst_info(
                imprint=wire.octets(item["imprint"]),
                algorithm=Digest(item.get("algorithm", Digest.SHA256)),
                serial=int.from_bytes(self._randomness.octets(_SERIAL_OCTETS), "big") >> 1 | 1,
                gen_time=self._clock.now(),
                policy_oid=str(item["policy"]),
                nonce=None if nonce is None else int(nonce),
                accuracy=self._clock.accuracy,
            )
            token = build_token(
                content,
                identity=identity,
                signer=held.signer,
                include_certificates=bool(item.get("cert_req", True)),
            )
            return {"token": wire.text(token)}

        return stamp


def _each(stamp: Callable[[Any], dict[str, Any]], item: Any) -> dict[str, Any]:
    """One item's token, or its own refusal: what one caller sends must not cost the others their tokens."""
    try:
        return stamp(item)
    except YinxinError as error:
        _log.warning("signer.refused", operation="timestamp-batch", code=error.code, reason=error.message)
        return refused(error)
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        return refused(Malformed(f"an item of the batch is not complete: {type(fault).__name__}"))
    except Exception as fault:  # one item's fault is that item's answer
        _log.exception("signer.fault", operation="timestamp-batch")
        return refused(Broken(f"the signer failed: {type(fault).__name__}"))


def _told(standing: ClockStanding) -> dict[str, Any]:
    return {
        "state": standing.state.value,
        "clock": rfc3339(standing.clock_at),
        "expected": rfc3339(standing.expected_at),
        "changes": [
            [each.position, each.state.value, rfc3339(each.clock_at), rfc3339(each.expected_at)]
            for each in standing.changes
        ],
    }
