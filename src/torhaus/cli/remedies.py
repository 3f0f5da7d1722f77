"""What would make a denied call allowed: another moment, another role. Tried out, not guessed."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from torhaus.cli.asking import Judge
from torhaus.config.access import ADMINISTRATOR
from torhaus.gate.explain import Question
from torhaus.model.grant import Grant

STEP = 300.0
AHEAD = 8 * 86400.0
PATIENCE = 2.0
"""Seconds spent on trying roles: large configurations compile slowly, and many roles exist."""


def remedies(judge: Judge, question: Question, now: float) -> Iterator[str]:
    """Sentences; none when neither waiting nor a role of the configuration helps."""
    later = _moment(judge, question, now)
    if later is not None:
        zone = ZoneInfo(judge.loaded.settings.timezone)
        when = datetime.fromtimestamp(later, UTC).astimezone(zone)
        yield f"It would be allowed from {when:%A, %Y-%m-%d at %H:%M} {when.tzname()}."
    roles = list(_roles(judge, question, now))
    if roles:
        word = "role" if len(roles) == 1 else "roles"
        yield f"It would be allowed with the {word} {' or '.join(roles)}."


def _moment(judge: Judge, question: Question, now: float) -> float | None:
    """The first instant of the coming days at which the call passes, to the second."""
    at = now
    while at < now + AHEAD:
        after = min(at + STEP, now + AHEAD)
        if _passes(judge, question, after):
            return _turn(judge, question, at, after)
        at = after
    return None


def _turn(judge: Judge, question: Question, no: float, yes: float) -> float:
    while yes - no > 0.5:
        middle = (no + yes) / 2
        if _passes(judge, question, middle):
            yes = middle
        else:
            no = middle
    return float(round(yes))


def _roles(judge: Judge, question: Question, now: float) -> Iterator[str]:
    until = time.monotonic() + PATIENCE
    held = judge.roles(question.user, now)
    if held is None:
        return
    for role in judge.loaded.rules.roles:
        if role in held or role == ADMINISTRATOR:
            continue  # it opens everything: no advice
        if time.monotonic() > until:
            return
        grant = Grant(id="explain", user=question.user, role=role, begins=now - 1, ends=now + 1)
        if _passes(judge, question, now, grant):
            yield role


def _passes(judge: Judge, question: Question, now: float, *more: Grant) -> bool:
    return judge.answer(question, now, more).verdict == "allow"
