"""What would make a denied call allowed: another moment, another role. Tried out, not guessed."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from torhaus.config.load import Loaded
from torhaus.gate.explain import Question, explain
from torhaus.model.grant import Grant

STEP = 300.0
AHEAD = 8 * 86400.0
PATIENCE = 2.0
"""Seconds spent on trying roles: large configurations compile slowly, and many roles exist."""


def remedies(loaded: Loaded, question: Question, now: float) -> Iterator[str]:
    """Sentences; none when neither waiting nor a role of the configuration helps."""
    later = _moment(loaded, question, now)
    if later is not None:
        zone = ZoneInfo(loaded.settings.timezone)
        when = datetime.fromtimestamp(later, UTC).astimezone(zone)
        yield f"It would be allowed from {when:%A, %Y-%m-%d at %H:%M} {when.tzname()}."
    roles = list(_roles(loaded, question, now))
    if roles:
        word = "role" if len(roles) == 1 else "roles"
        yield f"It would be allowed with the {word} {' or '.join(roles)}."


def _moment(loaded: Loaded, question: Question, now: float) -> float | None:
    """The first instant of the coming days at which the call passes, to the second."""
    at = now
    while at < now + AHEAD:
        after = min(at + STEP, now + AHEAD)
        if _passes(loaded, question, after):
            return _turn(loaded, question, at, after)
        at = after
    return None


def _turn(loaded: Loaded, question: Question, no: float, yes: float) -> float:
    while yes - no > 0.5:
        middle = (no + yes) / 2
        if _passes(loaded, question, middle):
            yes = middle
        else:
            no = middle
    return float(round(yes))


def _roles(loaded: Loaded, question: Question, now: float) -> Iterator[str]:
    until = time.monotonic() + PATIENCE
    caller = loaded.rules.principals.get(question.user)
    if caller is None:
        return
    for role in loaded.rules.roles:
        if role in caller.roles(now):
            continue
        if time.monotonic() > until:
            return
        grant = Grant(id="explain", user=question.user, role=role, begins=now - 1, ends=now + 1)
        if _passes(loaded.with_grants((grant,)), question, now):
            yield role


def _passes(loaded: Loaded, question: Question, now: float) -> bool:
    return explain(loaded.rules, question, now).verdict == "allow"
