"""Every way in which access ends, and what has to end with it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.stories.directory import Directory
from tests.stories.holding import (
    ASSERTED,
    ASSERTION,
    COOKIE,
    FILE_KEY,
    KEY,
    OWN_KEY,
    REFRESH,
    SIGNED_IN,
    Kinds,
    everything,
    holding,
    what_is_done_with,
)
from tests.stories.idp import Idp
from tests.stories.keeping import asking
from tests.stories.somebody import (
    DATABASE,
    DIRECTORY,
    FILE,
    PROVIDER,
    SERVICE,
    Held,
    Place,
    configuration,
)
from tests.stories.stopwatch import Endings, Stopwatch, Took
from tests.stories.test_announced import Library
from tests.stories.town import Town
from tests.stories.tricks import TRICKS
from tests.stories.upstream import Upstream
from tests.stories.uses import Use

SOON, PATIENCE = 1.0, 60.0
"""Seconds in which open streams end where nothing else runs; and how long it is waited for that."""
PEOPLE = (FILE, DATABASE, DIRECTORY, PROVIDER)
Act = Callable[[Place, Held], None]


@dataclass(frozen=True)
class Way:
    """How it ends, for which of the things that are held, and for whom it is tried."""

    act: Act
    ends: Kinds
    of: tuple[str, ...] = (FILE,)


@contextmanager
def place(home: Path, people: int) -> Iterator[Place]:
    """`people`: those whom the file names."""
    with ExitStack() as lines:
        upstream = lines.enter_context(Upstream(tricks={**TRICKS, "get_asked": asking}))
        news, idp = lines.enter_context(Library()), lines.enter_context(Idp())
        config = configuration(upstream, news, idp, people)
        yield Place(lines.enter_context(Town(config, home)), upstream, idp)


# -- the ways ------------------------------------------------------------------------------------


def person(what: str) -> Act:
    return lambda at, held: at.desk.do("POST", f"people/{held.email}/{what}")


def changed(**change: Any) -> Act:
    return lambda at, held: at.desk.do("PATCH", f"people/{held.email}", change)


def revoked(name: str) -> Act:
    return lambda at, held: at.desk.do("DELETE", f"keys/{held.keys[name]}")


def stopped(kind: str, target: Callable[[Held], str]) -> Act:
    def stop(at: Place, held: Held) -> None:
        told = {"kind": kind, "target": target(held), "reason": "an incident"}
        at.desk.do("POST", "stops", told)

    return stop


def expired(at: Place, held: Held) -> None:
    ends = int(time.time()) + 2
    changed(expires=_stamp(ends))(at, held)
    time.sleep(max(0.0, ends - time.time()))


def expired_in_the_file(at: Place, held: Held) -> None:
    ends = int(time.time()) + 4
    at.with_file(held.email, lambda user: {**user, "expires": _stamp(ends)})
    time.sleep(max(0.0, ends - time.time()))


def _stamp(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def in_the_file(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Act:
    return lambda at, held: at.with_file(held.email, change)


def sessions(at: Place, held: Held) -> None:
    for family in held.families:
        at.desk.do("DELETE", f"sessions/{family}")


def signed_out(name: str) -> Act:
    """`name`: the claim that says whose session, or which, is over."""
    which = {"sid": lambda held: held.families[0], "sub": lambda held: held.email}
    return lambda at, held: at.idp.sign_out(at.town.port, **{name: which[name](held)})


def pushed(path: str, *operations: dict[str, Any]) -> Act:
    """What a directory says over SCIM. `USER` and `GROUP` stand for ids."""

    def push(at: Place, held: Held) -> None:
        with Directory(at.town.port) as okta:
            if not held.user:  # somebody whom it does not own
                held.user = okta.user(held.email)
            where = _filled(path, held)
            told = [{name: _filled(each, held) for name, each in op.items()} for op in operations]
            reply = okta.patch(where, *told) if told else okta.ask("DELETE", where)
            assert reply.status in (200, 204), reply.json

    return push


def _filled(value: Any, held: Held) -> Any:
    if isinstance(value, str):
        return value.replace("USER", held.user).replace("GROUP", held.group)
    if isinstance(value, list):
        return [_filled(each, held) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, held) for name, each in value.items()}
    return value


def groups_lost(at: Place, held: Held) -> None:
    page = at.idp.sign_in(at.town.port, held.email, "nobody of ours")
    assert page.status == 403


def answering(act: Act) -> Act:
    """It is done to whoever answers for a program."""
    return lambda at, held: act(at, replace(held, email=held.responsible))


# Who may do nothing any more is still somebody: he has a page of his own, and signs in.
def calls(use: str) -> bool:
    return use not in (COOKIE, REFRESH, ASSERTION)


SHUT = {"op": "replace", "value": {"active": False}}  # as Okta does
CLOSED = {"op": "Replace", "path": "active", "value": "False"}  # as Entra ID does
OUT = {"op": "remove", "path": 'members[value eq "USER"]'}
GONE = {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "USER"}]}
WAYS: dict[str, Way] = {
    "offboarded": Way(person("offboard"), everything, (*PEOPLE, SERVICE)),
    "suspended": Way(person("suspend"), everything, (FILE, DIRECTORY, SERVICE)),
    "deactivated by Okta": Way(pushed("Users/USER", SHUT), everything, (DIRECTORY, FILE)),
    "deactivated by Entra ID": Way(pushed("Users/USER", CLOSED), everything, (DIRECTORY, FILE)),
    "deleted by SCIM": Way(pushed("Users/USER"), everything, (DIRECTORY, FILE)),
    "whoever answers for it offboarded": Way(answering(person("offboard")), everything, (SERVICE,)),
    "whoever answers for it suspended": Way(answering(person("suspend")), everything, (SERVICE,)),
    "whoever answers for it deactivated by Okta": Way(
        answering(pushed("Users/USER", SHUT)), everything, (SERVICE,)
    ),
    "a session signed out at the provider": Way(
        signed_out("sid"), what_is_done_with(*SIGNED_IN), (FILE, PROVIDER)
    ),
    "signed out everywhere at the provider": Way(
        signed_out("sub"), what_is_done_with(*SIGNED_IN, ASSERTED)
    ),
    "key revoked": Way(revoked(KEY), what_is_done_with(KEY), (FILE, DATABASE, SERVICE)),
    "own key revoked": Way(revoked(OWN_KEY), what_is_done_with(OWN_KEY)),
    "sessions ended": Way(sessions, what_is_done_with(*SIGNED_IN)),
    "role removed": Way(changed(roles=[]), calls, (DATABASE, SERVICE)),
    "role removed in the file": Way(in_the_file(lambda user: {**user, "role": "nobody"}), calls),
    "taken out of the group by Okta": Way(pushed("Groups/GROUP", OUT), calls, (DIRECTORY,)),
    "taken out of the group by Entra ID": Way(pushed("Groups/GROUP", GONE), calls, (DIRECTORY,)),
    "group deleted by SCIM": Way(pushed("Groups/GROUP"), calls, (DIRECTORY,)),
    "groups lost at the next sign-in": Way(groups_lost, lambda use: use != ASSERTION, (PROVIDER,)),
    "expired": Way(expired, everything, (DATABASE, SERVICE)),
    "expired in the file": Way(expired_in_the_file, everything),
    "removed from the file": Way(in_the_file(lambda _: None), everything),
    "key removed from the file": Way(
        in_the_file(lambda user: {**user, "api_keys": []}), what_is_done_with(FILE_KEY)
    ),
    "user stopped": Way(
        stopped("user", lambda held: held.email), everything, (FILE, DIRECTORY, SERVICE)
    ),
    "key stopped": Way(stopped("key", lambda held: held.keys[KEY]), what_is_done_with(KEY)),
    "key of the file stopped": Way(
        stopped("key", lambda held: held.keys[FILE_KEY]), what_is_done_with(FILE_KEY)
    ),
}
CASES = [(name, sort) for name, way in WAYS.items() for sort in way.of]


@dataclass(frozen=True)
class Ended:
    """`refused`: how long the next use took, by what was held. `streams`: seconds after the act."""

    held: Held
    refused: dict[str, Took]
    streams: dict[str, float]


def ended(at: Place, name: str, sort: str) -> Ended:
    """That the next use of everything that ends so is refused, and that streams end.

    Everything was good right before, and what does not end this way still is.
    """
    way = WAYS[name]
    with holding(at, sort) as held:
        for use, good in held.uses.items():
            assert good(), (name, sort, use, "before")
        sent = len(at.upstream.calls("create_note"))
        lines = {each: line for each, line in held.streams.items() if way.ends(each)}
        listening = Endings(lines)
        way.act(at, held)
        told = time.perf_counter()
        found = Ended(held, _refused(at, held, way, (name, sort)), {})
        listening.wait(PATIENCE)
        for stream in lines:
            assert stream in listening.ended, (name, sort, stream)
            found.streams[stream] = listening.ended[stream] - told
        for use, good in held.uses.items():
            assert way.ends(use) or good(), (name, sort, use, "still")
        assert len(at.upstream.calls("create_note")) == sent
        at.upstream.seen.clear()
        return found


def _refused(at: Place, held: Held, way: Way, about: tuple[str, str]) -> dict[str, Took]:
    """Another use is the first one for each person: what comes first is on its way longest."""
    watch = Stopwatch(at.town.process.pid)
    uses = list(filter(way.ends, held.uses))
    first = held.number % len(uses)
    took = {}
    for use in uses[first:] + uses[:first]:
        said: list[bool] = []
        took[use] = watch.measure(partial(_asked, held.uses[use], said))
        assert said == [False], (*about, use)
    return took


def _asked(use: Use, said: list[bool]) -> None:
    said.append(use())
