"""What other rules make of kept answers."""

from typing import Any

import msgspec

from tests.torhaus.cast import github
from torhaus.cache.changes import outdated
from torhaus.model.caching import CacheRule, Caching, Selector
from torhaus.model.rules import Rules
from torhaus.model.servers import Server


def rules(*servers: Server, **more: Any) -> Rules:
    return Rules(version="1", servers={each.name: each for each in servers}, **more)


OTHER = github(name="other")
WHOLE = (Selector(tag="github"),)


def test_the_same_rules_forget_nothing() -> None:
    assert outdated(rules(github(), OTHER), rules(github(), OTHER)) == ()


def test_people_and_roles_forget_everything() -> None:
    old, new = rules(github(), OTHER, policy_version="1"), rules(github(), policy_version="2")

    assert outdated(old, new) == (*WHOLE, Selector(tag="other"))


def test_a_server_that_is_gone_or_asked_otherwise_is_forgotten() -> None:
    old = rules(github(), OTHER)

    assert outdated(old, rules(OTHER)) == WHOLE
    for change in (
        {"credential": "another"},
        {"environment": "production"},
        {"caching": Caching(other=CacheRule(ttl=5.0))},
    ):
        assert outdated(old, rules(msgspec.structs.replace(github(), **change), OTHER)) == WHOLE


def test_what_does_not_touch_answers_forgets_nothing() -> None:
    assert outdated(rules(github()), rules(github(timeout=1.0))) == ()
