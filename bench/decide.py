"""How long a decision takes: 5,000 users, 200 roles, 500 blocks, on one core, without a network.

`python -m bench.decide`. Exit 1 when the median of a decision, its classification included, is
above 15 microseconds, or its 99th percentile above 40. The configuration goes through the loader.
Time is the thread's own and the least of five rounds, so that other work on the machine does not
count; between two decisions about one person lie thousands about others, so caches are cold.
"""

import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from torhaus.config.load import load_text
from torhaus.model.call import Call
from torhaus.model.rules import Rules
from torhaus.model.verdict import Deny, Hold
from torhaus.policy.decide import decide

CALLS = 20_000
MEDIAN, SLOWEST = 15.0, 40.0
ROUNDS = 5


class Size(NamedTuple):
    users: int
    roles: int
    blocks: int


LARGE = Size(users=5000, roles=200, blocks=500)

GITHUB = ("github:read", "github:issues:write", "github:pull_requests:write", "github:delete")
SENTRY = ("sentry:read", "sentry:issues:write", "sentry:*")
RESTRICTIONS: tuple[Any, ...] = (
    "no_delete",
    "no_admin_repos",
    "no_sensitive_data",
    {"only_repos": ["myorg/*", "partner/shared-*"]},
)
CALLED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("github", "list_issues", {"owner": "myorg", "repo": "api", "state": "open"}),
    ("github", "issue_read", {"method": "get", "owner": "myorg", "repo": "api", "issue_number": 7}),
    ("github", "create_issue", {"owner": "partner", "repo": "shared-web", "title": "x"}),
    ("github", "delete_file", {"owner": "myorg", "repo": "api", "path": "a", "branch": "main"}),
    ("github", "label_write", {"owner": "myorg", "repo": "api", "method": "create", "name": "x"}),
    ("github", "search_code", {"query": "repo:myorg/api password"}),
    ("github", "get_me", {}),
    ("github", "frobnicate", {"owner": "myorg"}),
    ("sentry", "find_releases", {"organizationSlug": "o", "projectSlug": "production"}),
    ("sentry", "get_issue_details", {"issueId": "X-1"}),
    (
        "sentry",
        "execute_sentry_tool",
        {"name": "find_dsns", "arguments": {"organizationSlug": "o", "projectSlug": "staging"}},
    ),
)


def configuration(rng: random.Random, size: Size = LARGE) -> dict[str, Any]:
    """Roles, people and blocks as a large company has them."""

    def some(words: tuple[Any, ...], least: int = 1) -> list[Any]:
        return rng.sample(words, rng.randint(least, len(words)))

    roles = {
        f"team-{n}": {
            "permissions": some(GITHUB) + some(SENTRY),
            "restrictions": some(RESTRICTIONS, 0),
        }
        for n in range(size.roles)
    }
    users = [
        {"email": f"user{n}@example.com", "role": f"team-{rng.randrange(size.roles)}"}
        for n in range(size.users)
    ]
    blocks: dict[str, Any] = {"github": {}, "sentry": {}}
    for n in rng.sample(range(size.users), size.blocks // 2):
        repos = {
            "allow": ["myorg/*", "partner/shared-*"],
            "deny": [f"myorg/secret-{k}" for k in range(20)],
        }
        allow, deny = ["read:repos", "write:issues"], ["delete:*", "admin:*"]
        blocks["github"][f"user{n}@example.com"] = {"allow": allow, "deny": deny, "repos": repos}
    for n in rng.sample(range(size.users), size.blocks // 2):
        block = {"allow": ["read:*"], "deny": ["write:*"], "projects": ["production", "staging"]}
        blocks["sentry"][f"user{n}@example.com"] = block
    office = {"weekdays": True, "hours": "06:00-22:00", "timezone": "Europe/Berlin"}
    policies = [
        {
            "name": f"hours of team-{n}",
            "applies_to": [{"role": f"team-{n}"}, {"mcp_servers": ["sentry"]}],
            "time": office,
            "action": "deny_outside_hours",
        }
        for n in range(0, size.roles, 10)
    ]
    servers = {name: {"url": f"https://mcp.{name}.example/mcp"} for name in blocks}
    return {"mcpServers": servers, "roles": roles, "users": users, "policies": policies, **blocks}


def calls(rules: Rules, rng: random.Random, times: int = CALLS) -> Iterator[Call]:
    people = list(rules.principals.values())
    for number in range(times):
        server, tool, arguments = rng.choice(CALLED)
        yield Call(
            id=f"c{number}",
            caller=rng.choice(people),
            server=rules.servers[server],
            method="tools/call",
            operation=tool,
            arguments=dict(arguments),
            payload=b"{}",
            ip="192.0.2.7",
        )


def timed(asked: Sequence[Call], now: float) -> list[float]:
    """Microseconds for each call, the least of several rounds: what it costs, not who else ran."""
    least = [float("inf")] * len(asked)
    for _ in range(ROUNDS):
        for place, call in enumerate(asked):
            before = time.thread_time_ns()
            decide(call, now)
            least[place] = min(least[place], (time.thread_time_ns() - before) / 1000)
    return least


def main() -> int:
    rng = random.Random(7)
    text = msgspec.json.encode(configuration(rng)).decode()  # JSON is YAML
    began = time.perf_counter()
    rules = load_text(text, "bench", {}, Path("data")).rules
    loaded = time.perf_counter() - began
    asked = list(calls(rules, rng))
    now = 1_790_000_000.0
    ends: dict[str, int] = {}
    for call in asked:  # so that what is worked out once per person is there
        verdict = decide(call, now)
        end = verdict.code if isinstance(verdict, Deny) else type(verdict).__name__.lower()
        ends[end] = ends.get(end, 0) + 1
        assert not isinstance(verdict, Hold)
    cuts = statistics.quantiles(timed(asked, now), n=1000)
    median, slow, slowest = cuts[499], cuts[989], cuts[998]
    many = f"{LARGE.users} users, {LARGE.roles} roles, {LARGE.blocks} blocks"
    print(f"loaded in {loaded * 1000:.0f} ms: {many}")
    print(f"{CALLS} calls: {', '.join(f'{n} {end}' for end, n in sorted(ends.items()))}")
    print(f"a decision takes {median:.1f} us; p99 {slow:.1f} us, p99.9 {slowest:.1f} us")
    return int(median > MEDIAN or slow > SLOWEST)


if __name__ == "__main__":
    sys.exit(main())
