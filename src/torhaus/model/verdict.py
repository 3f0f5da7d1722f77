"""What policy says about a call, and why."""

import msgspec


class Allow(msgspec.Struct, frozen=True):
    """`rule` names what allows it; `actions` are what the call does (`read`, `write`, ...)."""

    rule: str
    reason: str
    actions: frozenset[str] = frozenset()


class Deny(msgspec.Struct, frozen=True):
    """`code` is stable for programs (`no_grant`); `reason` is a sentence for people."""

    rule: str
    code: str
    reason: str
    actions: frozenset[str] = frozenset()


Verdict = Allow | Deny
