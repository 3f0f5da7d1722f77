"""Browsers that somebody has signed in with before: strangers' guesses do not hold them back.

A cookie says so, sealed, after the device cookies of OWASP
(https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies). It signs
nobody in: it only says under whose failures its own ones count.
"""

from collections.abc import Callable, Mapping

import msgspec

from torhaus.mcp.seal import Sealer, SealError, binding

LASTS = 180 * 86400.0
"""Seconds a browser is known after its last sign-in."""
MOST = 5
"""Accounts of one browser; the one that was longest away goes first."""
LONGEST = 4096
_BOUND = binding("device")


class _Device(msgspec.Struct, frozen=True, array_like=True):
    """`accounts`: names, as failures are counted under, and when each signed in last."""

    id: bytes
    accounts: Mapping[str, float]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Device).decode


class Devices:
    """`random(n)`: n random bytes. `clock`: Unix seconds."""

    def __init__(
        self, sealer: Sealer, random: Callable[[int], bytes], clock: Callable[[], float]
    ) -> None:
        self._sealer = sealer
        self._random = random
        self._clock = clock

    def since(self, cookie: str, account: str) -> float | None:
        """When this browser signed in with the account last; None where it never did."""
        device = self._opened(cookie)
        return None if device is None else device.accounts.get(account)

    def name(self, cookie: str) -> str:
        """What the browser's failures are counted under; empty for one that is not known."""
        device = self._opened(cookie)
        return "" if device is None else device.id.hex()

    def signed_in(self, cookie: str, account: str) -> str:
        """What the browser keeps from now on, in the place of what it had."""
        now, device = self._clock(), self._opened(cookie)
        others = {} if device is None else {**device.accounts}
        others.pop(account, None)
        newest = sorted(others.items(), key=lambda each: each[1], reverse=True)[: MOST - 1]
        id = self._random(16) if device is None else device.id
        kept = _Device(id, {account: now, **dict(newest)})
        return self._sealer.seal(_encode(kept), _BOUND, now + LASTS)

    def _opened(self, cookie: str) -> _Device | None:
        if not cookie or len(cookie) > LONGEST:
            return None
        try:
            return _decode(self._sealer.unseal(cookie, _BOUND, self._clock()))
        except (SealError, msgspec.MsgspecError):  # also of another version of ours
            return None
