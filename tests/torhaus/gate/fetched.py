"""A gate that keeps answers and counts them, for tests of what comes from where."""

import json
from typing import Any

import msgspec

from tests.torhaus.cast import ALICE, DANA, World, github
from torhaus.model.caching import CacheRule, Caching, Invalidation
from torhaus.model.cost import Costs
from torhaus.model.limits import LimitRule, Limits
from torhaus.model.outcome import Answered, Outcome, Served
from torhaus.model.servers import Server

MINUTE = CacheRule(ttl=60.0)
OLD_MEANWHILE = CacheRule(ttl=60.0, stale_while_revalidate=60.0)
OLD_ON_ERROR = CacheRule(ttl=60.0, stale_if_error=600.0)
WRITES = {"createissue": (Invalidation(tag="github.listissues"),)}
LIST = {"owner": "myorg", "repo": "api"}
NEW = {**LIST, "title": "t"}


def keeping(rule: CacheRule = MINUTE, **more: Any) -> Server:
    return github(caching=Caching(tools={"listissues": rule}, triggers=WRITES), **more)


def world(rule: CacheRule = MINUTE, **more: Any) -> World:
    return World(keeping(rule, **more)).knows_the_tools()


def allowing(made: World, *rules: LimitRule, costs: Costs | None = None) -> World:
    made.rules = msgspec.structs.replace(
        made.rules, limits=Limits(rules=rules), costs=costs or Costs()
    )
    return made


async def ask(made: World, by: Any = ALICE, **arguments: Any) -> Outcome:
    return await made.admit(made.tool("list_issues", {**LIST, **arguments}, by=by))


async def write(made: World, by: Any = DANA) -> Outcome:
    return await made.admit(made.tool("create_issue", NEW, by=by))


def said(outcome: Outcome) -> str:
    assert isinstance(outcome, Answered), outcome
    assert outcome.answer.result is not None
    return str(json.loads(outcome.answer.result)["content"][0]["text"])


def served(outcome: Outcome) -> Served | None:
    assert isinstance(outcome, Answered), outcome
    return outcome.served


def mark(outcome: Outcome) -> Any:
    assert isinstance(outcome, Answered)
    return json.loads(outcome.answer.result or b"")["_meta"]["torhaus/cache"]
