"""The curve of SM2 (GB/T 32918.5) in plain integers: whether a point is on it, and what verifying needs.

Only public values pass through here, so nothing has to take the same time: whoever signs uses a library. With a
table for the generator, and one for a key that comes back, verifying costs about what the library takes
(`tests/bench/bench_suites.py`).
"""

import threading
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TypeAlias

FIELD_OCTETS = 32
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

_WINDOW_BITS = 4
_WINDOWS = 64
_MULTIPLES = (1 << _WINDOW_BITS) - 1
# A table has 960 points, about 170 KB; the authorities and signers that come back in one process.
_KEPT_COMBS = 32

_Affine: TypeAlias = tuple[int, int]
# X/Z², Y/Z³; Z is 0 at infinity.
_Jacobian: TypeAlias = tuple[int, int, int]
_Comb: TypeAlias = Sequence[Sequence[_Affine]]
_INFINITY: _Jacobian = (1, 1, 0)


def on_curve(x: int, y: int) -> bool:
    """Whether the coordinates are of the field and the point is on the curve. Its cofactor is 1: no more to check."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x + A) * x - B) % P == 0


def sum_has_abscissa(s: int, t: int, key: _Affine, abscissa: int, *, make_table: bool) -> bool:
    """Whether [s]G + [t]key is a point whose x is `abscissa` modulo the order (GB/T 32918.2 §7.1 B6, B7).

    With `make_table` the key gets a table of its own where it has none, for the next times; making one costs about as
    much as five verifications without.
    """
    total = _by_comb(s, _generator(), _INFINITY)
    comb = _COMBS.of(key, make=make_table)
    total = _add(total, _by_window(t, key)) if comb is None else _by_comb(t, comb, total)
    x, _y, z = total
    if z == 0:
        return False
    scale = z * z % P
    return any((each * scale - x) % P == 0 for each in (abscissa, abscissa + N) if each < P)


def _by_window(scalar: int, point: _Affine) -> _Jacobian:
    multiples = _multiples(point)
    total = _INFINITY
    for shift in range(_WINDOW_BITS * (_WINDOWS - 1), -1, -_WINDOW_BITS):
        for _ in range(_WINDOW_BITS):
            total = _double(total)
        digit = scalar >> shift & 15
        if digit:
            total = _add_affine(total, multiples[digit - 1])
    return total


def _by_comb(scalar: int, comb: _Comb, total: _Jacobian) -> _Jacobian:
    for window in comb:
        digit = scalar & 15
        scalar >>= _WINDOW_BITS
        if digit:
            total = _add_affine(total, window[digit - 1])
    return total


def _comb(key: _Affine) -> _Comb:
    """For each window of four bits the point times 1 to 15 times the window's weight; two inversions in all."""
    bases: list[_Jacobian] = [(*key, 1)]
    for _ in range(_WINDOWS - 1):
        base = bases[-1]
        for _ in range(_WINDOW_BITS):
            base = _double(base)
        bases.append(base)
    points = _to_affine([each for base in _to_affine(bases) for each in _jacobian_multiples(base)])
    return [points[at : at + _MULTIPLES] for at in range(0, len(points), _MULTIPLES)]


class _Combs:
    """The tables of the keys that came back last."""

    def __init__(self) -> None:
        self._kept: dict[_Affine, _Comb] = {}
        self._lock = threading.Lock()

    def of(self, key: _Affine, *, make: bool) -> _Comb | None:
        """The key's table; None where it has none and is to get none now."""
        with self._lock:
            comb = self._kept.pop(key, None)
            if comb is not None:
                self._kept[key] = comb  # the newest again
        if comb is not None or not make:
            return comb
        comb = _comb(key)
        with self._lock:
            self._kept[key] = comb
            while len(self._kept) > _KEPT_COMBS:
                del self._kept[next(iter(self._kept))]
        return comb


_COMBS = _Combs()


@cache
def _generator() -> _Comb:
    return _comb((GX, GY))


def _multiples(point: _Affine) -> Sequence[_Affine]:
    return _to_affine(_jacobian_multiples(point))


def _jacobian_multiples(point: _Affine) -> list[_Jacobian]:
    found: list[_Jacobian] = [(*point, 1)]
    for _ in range(_MULTIPLES - 1):
        found.append(_add_affine(found[-1], point))
    return found


def _to_affine(points: Iterable[_Jacobian]) -> Sequence[_Affine]:
    """All at the price of one inversion (Montgomery's trick); none is at infinity, the order being a large prime."""
    kept = list(points)
    running, products = 1, []
    for _x, _y, z in kept:
        products.append(running)
        running = running * z % P
    inverse = pow(running, -1, P)
    found: list[_Affine] = []
    for (x, y, z), before in zip(reversed(kept), reversed(products), strict=True):
        own = inverse * before % P
        inverse = inverse * z % P
        square = own * own % P
        found.append((x * square % P, y * square * own % P))
    return found[::-1]


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    doubled = (alpha * alpha - 8 * beta) % P
    return doubled, (alpha * (4 * beta - doubled) - 8 * gamma * gamma) % P, 2 * y * z % P


def _add_affine(point: _Jacobian, other: _Affine) -> _Jacobian:
    x, y, z = point
    if z == 0:
        return (*other, 1)
    square = z * z % P
    h = (other[0] * square - x) % P
    r = (other[1] * square * z - y) % P
    if h == 0:
        return _double(point) if r == 0 else _INFINITY
    hh = h * h % P
    hhh, v = hh * h % P, x * hh % P
    added = (r * r - hhh - 2 * v) % P
    return added, (r * (v - added) - y * hhh) % P, z * h % P


def _add(point: _Jacobian, other: _Jacobian) -> _Jacobian:
    if other[2] == 0:
        return point
    (affine,) = _to_affine([other])
    return _add_affine(point, affine)
