"""What policy says about a call, and why."""

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One step of a decision, for people: what was asked, what came of it, by which rule.

    `result`: `pass`, `deny`, `allow`, `approval` or `note`.
    """

    step: str
    result: str
    rule: str
    detail: str


class Allow(msgspec.Struct, frozen=True):
    """`rule` names what allows it; `actions` are what the call does (`read`, `write`, ...).

    `redact`: the rule that has its arguments and result masked. `noted`: policies that only watch
    (`log_only`) and would have refused it. `approved`: the approval that let it pass.
    """

    rule: str
    reason: str
    actions: frozenset[str] = frozenset()
    redact: str | None = None
    noted: tuple[str, ...] = ()
    approved: str | None = None


class Deny(msgspec.Struct, frozen=True):
    """`code` is stable for programs (`no_grant`); `reason` is a sentence for people."""

    rule: str
    code: str
    reason: str
    actions: frozenset[str] = frozenset()


class Hold(msgspec.Struct, frozen=True):
    """Allowed once somebody else agrees. `allow`: the verdict it becomes then.

    `rule` names the policy; `approvers` as in `Policy`, of every policy that asks for it.
    """

    rule: str
    reason: str
    allow: Allow
    approvers: tuple[tuple[str, ...], ...] = ()


Verdict = Allow | Deny | Hold
