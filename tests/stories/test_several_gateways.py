"""Two gateways with one Valkey: to users, to servers and to limits they are one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.stories.keeping import hit, numbered
from tests.stories.town import Town
from tests.stories.town import server as entry
from tests.stories.upstream import Upstream, within
from tests.torhaus.store.redis.valkeys import HOST, Valkey

REPO = {"owner": "myorg", "repo": "myrepo"}
OTHER = {"owner": "myorg", "repo": "other"}
LIMIT = 20


class GitHub(Upstream):
    def names(self) -> list[str]:
        return ["list_issues", "get_issue", "create_issue"]


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    with GitHub(tricks={"list_issues": numbered()}) as one:
        yield one


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    with closing(Valkey()) as one:
        yield one


@pytest.fixture(scope="module")
def pair(
    github: GitHub, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, Town]]:
    tmp_path = tmp_path_factory.mktemp("pair")
    limit = {"requests": LIMIT, "window": 3600}
    listed = {"repo": "{owner}/{repo}"}
    config = {
        "mcpServers": {
            "github": entry(github.url),
            "limited": entry(github.url, rateLimit=limit),
            "parted": entry(github.url, rateLimit=limit),
        },
        "caching": {"github": {"list_issues": {"ttl": 300}}},
        "cache_invalidation": [
            {
                "trigger": "github.create_issue",
                "invalidate": [{"tool": "github.list_issues", "where": listed}],
            }
        ],
        "storage": {
            # With less, a busy machine is a server that is away.
            "redis": {"addresses": f"{HOST}:{valkey.port}", "gateways": 2, "timeout": "10s"}
        },
    }
    with Town(config, tmp_path / "one") as one, Town(config, tmp_path / "other") as other:
        yield one, other


def allowed(towns: tuple[Town, ...], calls: int, server: str = "limited") -> int:
    """How many of so many calls at once, through all gateways in turn, are no refusals."""

    def call(number: int) -> bool:
        with towns[number % len(towns)].caller("ALICE", server=server) as alice:
            return not alice.tool("get_issue", {"number": number}).message["result"].get("isError")

    with ThreadPoolExecutor(30) as pool:
        return sum(pool.map(call, range(calls)))


def asked(town: Town, who: str, arguments: object = REPO) -> bool:
    """Whether the answer was a kept one."""
    with town.caller(who, server="github") as caller:
        return hit(caller.tool("list_issues", arguments))


def test_a_limit_is_one_limit_for_all_gateways(pair: tuple[Town, Town], github: GitHub) -> None:
    before = len(github.calls("get_issue"))

    assert allowed(pair, 3 * LIMIT) == LIMIT
    assert len(github.calls("get_issue")) - before == LIMIT


def test_what_one_gateway_knows_all_know_until_somebody_writes(pair: tuple[Town, Town]) -> None:
    one, other = pair
    assert [asked(one, "ALICE"), asked(other, "BOB"), asked(one, "ALICE", OTHER)] == [
        False,
        True,
        False,
    ]

    for _ in range(10):
        with other.caller("ALICE", server="github") as alice:
            alice.tool("create_issue", {**REPO, "title": "x"})
        # Once the write is answered, the gateway that has it in memory must not use it.
        assert not asked(one, "ALICE")
        assert asked(other, "BOB")
    assert asked(other, "BOB", OTHER)


def test_without_valkey_both_go_on_within_their_shares_and_find_together_again(
    pair: tuple[Town, Town], valkey: Valkey
) -> None:
    valkey.kill()

    assert allowed(pair, 2 * LIMIT, "parted") == LIMIT
    assert not asked(pair[0], "ALICE")
    assert not asked(pair[0], "ALICE")

    valkey.start()
    assert within(60, lambda: asked(pair[0], "ALICE") and asked(pair[1], "BOB"))
    assert allowed(pair, 4, "parted") == 0
