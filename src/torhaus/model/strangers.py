"""Wrong credentials, told of together."""

import msgspec


class Strangers(msgspec.Struct, frozen=True, kw_only=True):
    """`count` refusals from `ip` that began at `began` (Unix seconds), for `reason` at first.

    `ip`: an address, or a network where one sends from many; empty for the rest, when there are
    too many. `addresses`: how many of them there are, at least. `since`, `until`: times as in
    records.
    """

    ip: str
    reason: str
    began: float
    since: str
    until: str
    count: int
    addresses: int = 1
