"""Which budgets a call draws on."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256

from torhaus.limits.months import month
from torhaus.limits.words import spoken
from torhaus.model.call import Call
from torhaus.model.limits import NO_LIMITS, Allowance, LimitRule, Limits, Per, Quota, Seats
from torhaus.model.names import normal
from torhaus.model.ports import Charge
from torhaus.model.servers import Window

# What reaches a tool or data. Lists, pings and session traffic are free.
CHARGED = frozenset({"tools/call", "resources/read", "prompts/get", "completion/complete"})

POLLED = frozenset({"tasks/get", "tasks/result"})
"""What asks for the end of a call that was charged: free, but for budgets that count hits too."""


def key_name(key: bytes) -> str:
    """What budgets call a key; it gives the key itself not away."""
    return sha256(key).hexdigest()[:32]


def charges(
    call: Call, limits: Limits = NO_LIMITS, now: float = 0.0, key: str = ""
) -> tuple[Charge, ...]:
    """What a call that goes to the server uses up. Taken all or not at all.

    `key`: which of the caller's credentials was shown, for budgets per key.
    """
    if call.method not in CHARGED:
        return _drawn(call, limits, now, key, hit=True) if call.method in POLLED else ()
    if limits is not NO_LIMITS:
        return _drawn(call, limits, now, key, hit=False)
    server = call.server
    window = server.rate_limit
    return () if window is None else _own(server.name, call.caller.id, window)


def hit_charges(
    call: Call, limits: Limits = NO_LIMITS, now: float = 0.0, key: str = ""
) -> tuple[Charge, ...]:
    """What a call uses up that the cache answers: only of budgets that count hits."""
    return _drawn(call, limits, now, key, hit=True) if call.method in CHARGED else ()


def _drawn(call: Call, limits: Limits, now: float, key: str, *, hit: bool) -> tuple[Charge, ...]:
    server = call.server
    window = server.rate_limit
    own: tuple[Charge, ...] = ()
    if window is not None and (not hit or server.rate_counts_hits):
        own = _own(server.name, call.caller.id, window)
    if limits is NO_LIMITS:
        return own
    found = list(own)
    for rule in limits.rules:
        if (not hit or rule.hits) and _applies(rule, call, now):
            found.extend(_charged(rule, call, now, key))
    for allowance in limits.allowances:
        if (not hit or allowance.hits) and _member(allowance, call):
            found.extend(monthly(allowance, call.caller.id, now))
    return tuple(found)


def _applies(rule: LimitRule, call: Call, now: float) -> bool:
    caller = call.caller
    if rule.servers and call.server.name not in rule.servers:
        return False
    if rule.tools:
        if call.method != "tools/call":
            return False
        name = normal(call.operation)
        if not any(glob.pattern.fullmatch(name) for glob in rule.tools):
            return False
    if not (rule.roles or rule.groups or rule.users):
        return True
    return (
        caller.email in rule.users
        or not rule.groups.isdisjoint(caller.groups)
        or not rule.roles.isdisjoint(caller.roles(now))
    )


def _charged(rule: LimitRule, call: Call, now: float, key: str) -> Iterator[Charge]:
    scope = f"{call.server.name if rule.by_server else ''} "
    if rule.by_tool:
        scope += normal(call.operation)
    text = spoken(rule.name, rule.budget)
    for subject in _subjects(rule, call, now, key):
        # The tool is the caller's word: it comes last, so that it can imitate no other part.
        yield Charge(f"limit\n{rule.name}\n{rule.per}\n{subject}\n{scope}", rule.budget, text)


def _subjects(rule: LimitRule, call: Call, now: float, key: str) -> tuple[str, ...]:
    caller = call.caller
    match rule.per:
        case Per.USER:
            return (caller.id,)
        case Per.KEY:
            return (key or caller.id,)
        case Per.TOTAL:
            return ("",)
        case Per.ROLE:
            held = caller.roles(now)
            return tuple(role for role in held if not rule.roles or role in rule.roles)
        case Per.GROUP:
            return tuple(
                group for group in caller.groups if not rule.groups or group in rule.groups
            )


def _member(allowance: Allowance, call: Call) -> bool:
    return not allowance.groups or not allowance.groups.isdisjoint(call.caller.groups)


def monthly(allowance: Allowance, who: str, now: float, calls: int = 1) -> Iterator[Charge]:
    """What `calls` of a member draw on a plan in the month of `now`."""
    period, ends = month(now, allowance.zone)
    if allowance.calls is not None:
        quota = Quota(allowance.calls, period, ends)
        yield Charge(f"plan\n{allowance.name}\ncalls", quota, spoken(allowance.name, quota), calls)
    if allowance.users is not None:
        seats = Seats(allowance.users, who, period, ends)
        yield Charge(f"plan\n{allowance.name}\nusers", seats, spoken(allowance.name, seats))


@lru_cache(maxsize=8192)
def _own(server: str, caller: str, window: Window) -> tuple[Charge]:
    """The server's own limit, which every caller has for himself. `caller`: an id."""
    # No server name holds a blank, so no two pairs make the same key.
    return (Charge(f"{server} {caller}", window, spoken(server, window)),)
