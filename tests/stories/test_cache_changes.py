"""What a change of the configuration makes of kept answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.keeping import OTHER_TOKEN, TRICKS, asked, bearer, configuration, hit, unasked
from tests.stories.town import Town
from tests.stories.upstream import Upstream, within
from tests.torhaus.redact.samples import MAIL


@pytest.fixture(scope="module")
def far() -> Iterator[Upstream]:
    with Upstream(tricks=dict(TRICKS)) as running:
        yield running


@pytest.fixture(scope="module")
def second(far: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(configuration(far), tmp_path_factory.mktemp("second")) as running:
        yield running


@pytest.fixture
def own(second: Town) -> Iterator[Town]:
    """One whose configuration a test may change."""
    before = second.config
    yield second
    if second.config != before:
        changed(second, before)


@pytest.fixture
def page() -> object:
    return unasked()


def changed(town: Town, config: dict[str, Any]) -> None:
    """Put it in force."""
    town.config = config
    before = town.output().count("config.reloaded")
    town.write(config)
    town.hang_up()
    assert within(60, lambda: town.output().count("config.reloaded") > before), town.output()


def kept(town: Town, page: object, who: str = "ALICE", tool: str = "get_note") -> bool:
    """Whether there is an answer for somebody who asks now."""
    return hit(asked(town, who, "one", tool, page))


def roles_of(config: dict[str, Any], **roles: str) -> dict[str, Any]:
    """With other roles for some people."""
    users = [
        {**user, "role": roles.get(user["email"].partition("@")[0], user["role"])}
        for user in config["users"]
    ]
    return {**config, "users": users}


def test_answers_stay_when_nothing_changes_that_they_depend_on(own: Town, page: object) -> None:
    assert not kept(own, page)

    changed(own, {**own.config, "cost_tracking": []})

    assert kept(own, page)


def test_whoever_is_removed_gets_nothing_any_more(own: Town, far: Upstream, page: object) -> None:
    assert [kept(own, page, "BOB"), kept(own, page, "BOB")] == [False, True]
    users = [each for each in own.config["users"] if not each["email"].startswith("bob")]

    changed(own, {**own.config, "users": users})

    before = len(far.seen)
    assert asked(own, "BOB", "one", "get_note", page).status == 401
    assert len(far.seen) == before


def test_a_changed_role_drops_answers_and_closes_them(
    own: Town, far: Upstream, page: object
) -> None:
    assert [kept(own, page, "BOB"), kept(own, page, "BOB")] == [False, True]

    changed(own, roles_of(own.config, bob="nobody"))

    assert not kept(own, page, "ALICE")
    assert kept(own, page, "ALICE")
    refused = asked(own, "BOB", "one", "get_note", page)
    assert refused.message["result"]["isError"] is True


def test_whoever_is_masked_from_now_on_gets_no_answer_from_before(own: Town, page: object) -> None:
    assert MAIL in asked(own, "BOB", "one", "get_note", page).text

    changed(own, roles_of(own.config, bob="contractor"))

    masked = asked(own, "BOB", "one", "get_note", page)
    assert MAIL not in masked.body.decode()


def test_other_permissions_of_a_role_drop_answers(own: Town, page: object) -> None:
    assert [kept(own, page), kept(own, page)] == [False, True]
    roles = {**own.config["roles"], "reader": {"permissions": ["twin:read"]}}

    changed(own, {**own.config, "roles": roles})

    assert not kept(own, page)
    refused = asked(own, "BOB", "one", "get_note", page)
    assert refused.message["result"]["isError"] is True


@pytest.mark.parametrize(
    "change",
    [{"auth": bearer(OTHER_TOKEN)}, {"environment": "staging"}, {"cache": {"ttl": 200}}],
    ids=["credential", "environment", "caching"],
)
def test_a_server_that_changes_loses_its_answers(
    change: dict[str, Any], own: Town, page: object
) -> None:
    assert [kept(own, page), kept(own, page)] == [False, True]
    servers = own.config["mcpServers"]

    changed(own, {**own.config, "mcpServers": {**servers, "one": {**servers["one"], **change}}})

    assert not kept(own, page)
    changed(own, {**own.config, "mcpServers": servers})
    assert not kept(own, page)


def test_a_key_that_moves_takes_no_answers_with_it(own: Town, page: object) -> None:
    """Bob's key is Carol's then: masked, and without what Bob was told."""
    assert [kept(own, page, "BOB", "get_own"), kept(own, page, "BOB", "get_own")] == [False, True]
    users = [
        {**user, "api_keys": [f"${{{keys}_KEY}}"]}
        for user in own.config["users"]
        for keys in [_SWAPPED.get(user["email"], user["email"].partition("@")[0].upper())]
    ]

    changed(own, {**own.config, "users": users})

    carol = asked(own, "BOB", "one", "get_own", page)
    assert not hit(carol)
    assert MAIL not in carol.body.decode()


_SWAPPED = {"bob@example.com": "CAROL", "carol@example.com": "BOB"}
