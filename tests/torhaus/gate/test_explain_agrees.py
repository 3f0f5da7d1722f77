"""Explanations and the gate: thousands of calls under one mixed configuration, one answer each."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import msgspec

from tests.torhaus.cast import World, request
from tests.torhaus.scripted import dumps, listing
from torhaus.config.load import load_text
from torhaus.gate.calls import Asking
from torhaus.gate.explain import Question, explain
from torhaus.mcp.clients import CLIENT_KEY
from torhaus.mcp.message import CallerError
from torhaus.model.outcome import Outcome
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server, ToolClass
from torhaus.model.verdict import Allow, Deny, Step
from torhaus.policy.names import normal

CALLS = 4000
MIXED = """\
server: {timezone: Europe/Berlin}
mcpServers:
  github: {url: "https://mcp.github.com"}
  sentry: {url: "https://mcp.sentry.io", environment: production}
  filesystem: {url: "https://filesystem.example.com"}
  acme:
    url: https://acme.example.com
    classification:
      resource_parents: {lines: orders}
      tools:
        get_order: {action: read, resource: orders, scope: project, project_args: [shop]}
        edit_line:
          action: write
          resource: lines
          scope: project
          project_args: [shop]
          method: {arg: mode, map: {set: write, drop: delete}}
        "export_*": {action: read, resource: orders, tags: [personal]}
roles:
  dev:
    permissions: [github:read, github:issues:write, sentry.read, acme:read, "filesystem:*"]
    restrictions: [no_delete, no_admin_repos]
  lead:
    permissions: ["github:*", "sentry:*", "acme:*"]
    restrictions: [no_acme_delete]
  outside:
    permissions: [github:read, sentry:read, acme:read]
    restrictions: [{only_repos: [myorg/api, "public/*"]}, no_sensitive_data]
  root: {permissions: ["*"]}
  clerk: {permissions: ["*:read"], restrictions: [no_github_admin]}
groups: {ops: [lee@example.org], guests: []}
users:
  - {email: dev@example.org, role: dev}
  - {email: two@example.org, roles: [dev, outside]}
  - {email: lee@example.org, role: lead}
  - {email: out@example.org, role: outside, expires: 2025-10-20}
  - {email: root@example.org, role: root}
  - {email: temp@example.org, role: outside}
  - {email: clerk@example.org, role: clerk, expires: "2025-10-22T12:00:00+02:00"}
  - {email: none@example.org, groups: [guests]}
accessControl:
  - {role: dev, deny: ["github:contents:write"], when: 'args.branch == "main"'}
  - {role: dev, allow: ["github:contents:write"], when: 'args.branch.startsWith("dev/")'}
github:
  dev@example.org: {deny: ["read:gists"], repos: {allow: ["myorg/*"], deny: [myorg/secret]}}
  ops: {deny: ["delete:repos"], networks: [private]}
  root: {deny: ["admin:*"], when: 'ip.startsWith("192.")'}
sentry:
  lead: {allow: [resolve:issues], projects: [web, api]}
  none@example.org: {allow: ["read:issues"], exclusive: true}
acme:
  dev: {allow: [write:lines], clients: [cursor], projects: ["*"]}
policies:
  - name: hours
    applies_to: [{role: [dev, clerk]}, {mcp_servers: ["sentry:production", acme]}]
    time: {weekdays: true, hours: ["08:00-18:00", "22:00-02:00"], holidays: [2025-10-21]}
    action: deny_outside_hours
  - {name: two people, applies_to: {actions: [delete, admin]}, action: require_approval}
  - {name: merges, applies_to: {tools: "merge_*"}, action: require_approval, approvers: [root]}
  - {name: strange, when: 'args.n > 3', action: deny,
     applies_to: {tools: [acme.get_order], role: [dev, outside]}}
  - {name: cursor, applies_to: {role: outside}, clients: [cursor], action: deny_other_clients}
  - {name: watch, applies_to: {types: issues, role: lead}, action: log_only,
     when: 'size(targets) > 0'}
  - {name: mask, applies_to: {types: [orders], role: lead}, action: redact,
     networks: [192.0.2.0/24]}
temporary_access:
  - {user: temp@example.org, role: lead, valid_from: 2025-10-20, valid_until: 2025-10-20}
  - {user: dev@example.org, role: outside, mode: replace, valid_from: 2025-10-22,
     valid_until: 2025-10-22}
data_classes:
  sensitive: {repos: ["myorg/secret*"], tools: ["*_alert"]}
  admin: {repos: [myorg/infra]}
approvals: {hold: 0s}
"""
CLERK = "clerk@example.org"
OFTEN = ("get_gizmo", "export_all", "frobnicate")
MORE = ("frobnicate", "get_gizmo", "purge_gizmo", "export_all", "List-Issues", "\uff44elete_file")
NAMES = ("myorg", "api", "secret", "myorg/api", "MyOrg/Secret", "infra", "public", "web", "evil/x")
ODD: tuple[Any, ...] = (
    None,
    7,
    True,
    [],
    ["api"],
    {},
    "",
    " api",
    "..",
    "api.git",
    "a%2fb",
    "/etc",
)
BRANCHES = ("main", "dev/x", "x", 7, None)
# Around the edges of hours, days, grants and expiry, and back again.
TIMES = tuple(
    datetime.fromisoformat(f"2025-10-{text}+02:00").timestamp()
    for text in (
        "17T17:59:59.9", "17T18:00:00", "18T01:59:59", "18T02:00:00", "19T12:00:00", "20T00:00:00",
        "20T07:59:59", "20T08:00:00", "20T12:00:00", "21T00:00:00", "21T01:00:00", "21T09:00:00",
        "21T23:00:00", "22T00:00:00", "22T12:00:00", "23T00:00:00",
    )
)  # fmt: skip


@dataclass
class Asked:
    question: Question
    now: float


def questions(rules: Rules, listed: Mapping[str, list[str]], seed: int) -> Iterator[Asked]:
    random = Random(seed)
    for _ in range(CALLS):
        server = rules.servers[random.choice(("github", "github", *rules.servers))]
        user = random.choice(list(rules.principals))
        # What nothing but the time decides is remembered: the same few calls, again and again.
        tool = random.choice(OFTEN if user == CLERK else listed[server.name])
        question = Question(
            user=user,
            server=server.name,
            tool=tool,
            arguments=dumps(_arguments(random, server, tool)).decode(),
            ip=random.choice(("10.0.0.1", "192.0.2.1", "203.0.113.9")),
            client=random.choice(("cursor", "Cursor", "", "other")),
            hints=_hints(tool),
        )
        yield Asked(question, random.choice(TIMES))


HINTS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"readOnlyHint": False},
    {"destructiveHint": True},
    {"readOnlyHint": True},
)


def _hints(tool: str) -> dict[str, Any]:
    """Of a tool the same in every run."""
    return HINTS[sum(tool.encode()) % len(HINTS)]


def _arguments(random: Random, server: Server, tool: str) -> dict[str, Any]:
    row = server.classes.get(normal(tool))
    found: dict[str, Any] = {"branch": random.choice(BRANCHES), "n": random.choice((1, 9, "9", {}))}
    found = {name: value for name, value in found.items() if random.random() < 0.5}
    if row is not None:
        found |= _named(random, row)
        if row.dispatch is not None:
            inner = random.choice(list(server.classes))
            found[row.dispatch[0]] = inner
            found[row.dispatch[1]] = _named(random, server.classes[inner])
    return found


def _named(random: Random, row: ToolClass) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for target in row.targets:
        for name in (*target.args, *target.either):
            if random.random() < 0.85:
                spelt = name if random.random() < 0.97 else name.capitalize()
                found[spelt] = random.choice(NAMES if random.random() < 0.9 else ODD)
    if row.method_arg is not None and random.random() < 0.9:
        found[row.method_arg] = random.choice((*row.method_actions, "x", 7))
    return found


def _asking(rules: Rules, question: Question) -> Asking:
    arguments = msgspec.json.decode(question.arguments)
    meta = {CLIENT_KEY: {"name": question.client, "version": "1"}}
    params = {"name": question.tool, "arguments": arguments, "_meta": meta}
    return Asking(
        request=request("tools/call", params),
        caller=rules.principals[question.user],
        server=rules.servers[question.server],
        era=Era.MODERN,
        ip=question.ip,
    )


def _tools(server: Server) -> list[str]:
    """Their order is that of the tables, so every run asks the same."""
    return [*(name for name in server.classes), *MORE]


def _list(tools: list[str]) -> bytes:
    described = (
        {"name": t, "inputSchema": {"type": "object"}, "annotations": _hints(t)} for t in tools
    )
    return listing(*described).result or b""


def _said(outcome: Outcome) -> tuple[str, str, str, str]:
    verdict = outcome.verdict
    match verdict:
        case Allow():
            return "allow", verdict.rule, "allowed", verdict.reason
        case Deny():
            return "deny", verdict.rule, verdict.code, verdict.reason
        case _:
            return "approval", verdict.rule, "approval_required", verdict.reason


def test_the_gate_says_what_was_explained() -> None:
    rules = load_text(MIXED, "mixed.yml", {}).rules
    world = World()
    world.rules = rules
    listed = {name: _tools(server) for name, server in rules.servers.items()}
    lists = {name: [_list(tools)] for name, tools in listed.items()}
    ends: Counter[str] = Counter()

    async def story() -> None:
        for asked in questions(rules, listed, seed=3):
            world.clock.now = asked.now
            server = rules.servers[asked.question.server]
            world.gate.catalogue.learn(server, lists[server.name], asked.now)
            told = explain(rules, asked.question, asked.now)
            ends[told.code] += 1
            try:
                outcome = await world.admit(_asking(rules, asked.question))
            except CallerError:
                assert told.code == "invalid_request", asked
                continue
            found = _said(outcome)
            assert (told.verdict, told.policy_applied, told.code, told.reason) == found, asked
            word = told.verdict
            assert told.trace[-1] == Step("verdict", word, told.policy_applied, told.reason)

    asyncio.run(story())

    # Calls that all end alike would prove nothing.
    assert ends["allowed"] > CALLS // 20, ends
    assert ends["approval_required"] > CALLS // 100, ends
    assert len(ends) >= 10, ends
