"""Ways around a bound, a deny or a method map, over HTTP: nothing forbidden reaches the server."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.caller import Answer, Caller, legacy, modern, routing
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream

GITHUB = [
    "get_me",
    "list_issues",
    "issue_read",
    "issue_write",
    "create_issue",
    "get_file_contents",
    "delete_file",
    "delete_repository",
    "create_repository",
    "fork_repository",
    "label_write",
    "search_code",
    "search_issues",
    "list_secret_scanning_alerts",
    "get_gist",
    "issue_dependency_write",
    "sub_issue_write",
    "list_discussions",
    "push_files",
    "get_teams",
]
SENTRY = [
    "find_projects",
    "search_issues",
    "get_issue_details",
    "update_issue",
    "find_dsns",
    "delete_uptime_monitor",
    "get_uptime_monitor_details",
    "execute_sentry_tool",
    "get_sentry_resource",
    "find_releases",
    "whoami",
    "get_monitor_details",
]


class Named(Upstream):
    """A server with these tools."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self._names = names

    def names(self) -> list[str]:
        return self._names

    def arrived(self) -> list[dict[str, Any]]:
        """The arguments of every tool call that reached it."""
        return [each.message["params"] for each in self.seen if each.tool is not None]


@pytest.fixture(scope="module")
def github() -> Iterator[Named]:
    with Named(GITHUB) as one:
        yield one


@pytest.fixture(scope="module")
def sentry() -> Iterator[Named]:
    with Named(SENTRY) as one:
        yield one


@pytest.fixture(scope="module")
def gate(github: Named, sentry: Named, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config = {
        "mcpServers": {"github": server(github.url), "sentry": server(sentry.url)},
        "roles": {
            "contractor": {
                "permissions": ["github:*", "sentry:*"],
                "restrictions": [
                    "no_delete",
                    {"only_repos": ["myorg/public-project", "myorg/docs-*"]},
                    "no_sensitive_data",
                ],
            },
            "reader": {"permissions": ["github:read", "sentry:read"]},
            "writer": {"permissions": ["github:write", "sentry:read", "sentry:write"]},
            "nobody": {"permissions": []},
        },
        "users": [
            {"email": "alice@example.com", "role": "contractor", "api_keys": ["${ALICE_KEY}"]},
            {"email": "bob@example.com", "role": "reader", "api_keys": ["${BOB_KEY}"]},
            {"email": "carol@example.com", "role": "writer", "api_keys": ["${CAROL_KEY}"]},
            {"email": "mallory@example.com", "role": "nobody", "api_keys": ["${MALLORY_KEY}"]},
        ],
        "github": {"carol@example.com": {"repos": {"allow": ["myorg/*"], "deny": ["*/secret-*"]}}},
        "sentry": {"contractor": {"projects": ["production", "staging"]}},
    }
    with Town(config, tmp_path_factory.mktemp("bypasses")) as town:
        yield town


REPO = '"owner":"myorg","repo":"public-project"'

# Who, server, tool, the arguments as JSON text.
FORBIDDEN = {
    "another repository": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":"core"}'),
    "another owner": ("ALICE", "github", "list_issues", '{"owner":"x","repo":"public-project"}'),
    "no repository": ("ALICE", "github", "list_issues", "{}"),
    "owner alone": ("ALICE", "github", "list_discussions", '{"owner":"myorg"}'),
    "a path above": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":".."}'),
    "a path through": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"public-project/../core"}',
    ),
    "an escaped slash": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"public-project%2f..%2fcore"}',
    ),
    "an escaped dot": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":"%2e%2e"}'),
    "a trailing slash": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"public-project/"}',
    ),
    "a .git ending": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"public-project.git"}',
    ),
    "a leading blank": (
        "ALICE", "github", "list_issues", '{"owner":" myorg","repo":"public-project"}',
    ),
    "a trailing newline": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"public-project\\n"}',
    ),
    "a tab inside": ("ALICE", "github", "list_issues", '{"owner":"my\\torg","repo":"docs-a"}'),
    "a NUL": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":"public-project\\u0000"}'),
    "a homoglyph": (
        "ALICE", "github", "list_issues", '{"owner":"my\\u043erg","repo":"public-project"}',
    ),
    "a full-width letter": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"public\\uff0dproject"}',
    ),
    "the Kelvin sign": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"docs-\\u212a"}',
    ),
    "a list": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":["public-project"]}'),
    "a list of two": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":["public-project","core"]}',
    ),
    "an object": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":{"name":"core"}}'),
    "a number": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":7}'),
    "true": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":true}'),
    "null": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":null}'),
    "an empty name": ("ALICE", "github", "list_issues", '{"owner":"myorg","repo":""}'),
    "owner and repo disagree": (
        "ALICE", "github", "list_issues", '{"owner":"evil","repo":"myorg/public-project"}',
    ),
    "a whole name elsewhere": (
        "ALICE", "github", "list_issues", '{"repo":"myorg/core"}',
    ),
    "three segments": (
        "ALICE", "github", "list_issues", '{"owner":"myorg","repo":"myorg/public-project/x"}',
    ),
    "a key twice": (
        "ALICE", "github", "list_issues", f'{{{REPO},"repo":"core"}}',
    ),
    "a key in another case": (
        "ALICE", "github", "list_issues", f'{{{REPO},"Repo":"core"}}',
    ),
    "a key by case folding": (
        "ALICE", "github", "list_issues", f'{{{REPO},"OWNER":"evil"}}',
    ),
    "a deny glob in capitals": (
        "CAROL", "github", "create_issue", '{"owner":"MYORG","repo":"SECRET-plans","title":"x"}',
    ),
    "a deny glob": (
        "CAROL", "github", "push_files", '{"owner":"myorg","repo":"secret-plans"}',
    ),
    "free text": ("ALICE", "github", "search_code", '{"query":"repo:myorg/core password"}'),
    "free text about nothing": ("ALICE", "github", "search_issues", '{"query":"bug"}'),
    "an opaque id": ("ALICE", "github", "get_gist", '{"gist_id":"abc"}'),
    "a second target": (
        "ALICE", "github", "issue_dependency_write",
        f'{{{REPO},"method":"add","related_owner":"myorg","related_repo":"core"}}',
    ),
    "a second target by half": (
        "ALICE", "github", "issue_dependency_write",
        f'{{{REPO},"method":"add","related_repo":"core"}}',
    ),
    "a fork into elsewhere": (
        "ALICE", "github", "fork_repository", f'{{{REPO},"organization":"evil"}}',
    ),
    "a sensitive tool": ("ALICE", "github", "list_secret_scanning_alerts", f"{{{REPO}}}"),
    "a delete by name": ("ALICE", "github", "delete_file", f'{{{REPO},"path":"a"}}'),
    "a delete in an argument": (
        "ALICE", "github", "label_write", f'{{{REPO},"method":"delete","name":"x"}}',
    ),
    "a delete in capitals": (
        "ALICE", "github", "label_write", f'{{{REPO},"method":"DELETE","name":"x"}}',
    ),
    "a delete with a blank": (
        "ALICE", "github", "label_write", f'{{{REPO},"method":"delete ","name":"x"}}',
    ),
    "a delete in a list": (
        "ALICE", "github", "label_write", f'{{{REPO},"method":["delete"],"name":"x"}}',
    ),
    "no method at all": ("ALICE", "github", "label_write", f'{{{REPO},"name":"x"}}'),
    "a method beside the method": (
        "ALICE", "github", "label_write", f'{{{REPO},"method":"create","Method":"delete"}}',
    ),
    "an unknown method": (
        "ALICE", "github", "sub_issue_write", f'{{{REPO},"method":"obliterate"}}',
    ),
    "an old name": ("ALICE", "github", "delete_workflow_run_logs", f"{{{REPO}}}"),
    "another spelling of a tool": ("ALICE", "github", "deleteFile", f"{{{REPO}}}"),
    "a tool of another server": ("ALICE", "github", "find_projects", "{}"),
    "a tool nobody has": ("ALICE", "github", "list_everything", "{}"),
    "a write by a reader": ("BOB", "github", "create_issue", f'{{{REPO},"title":"x"}}'),
    "a write in an argument by a reader": (
        "BOB", "github", "issue_write", f'{{{REPO},"method":"create"}}',
    ),
    "a delete without the right": ("CAROL", "github", "delete_repository", f"{{{REPO}}}"),
    "nobody": ("MALLORY", "github", "get_me", "{}"),
    "another project": (
        "ALICE", "sentry", "find_releases", '{"organizationSlug":"o","projectSlug":"billing"}',
    ),
    "a project by number": (
        "ALICE", "sentry", "get_monitor_details", '{"organizationSlug":"o","projectSlugOrId":"42"}',
    ),
    "an issue by id": ("ALICE", "sentry", "get_issue_details", '{"issueId":"1"}'),
    "an issue by address": (
        "ALICE", "sentry", "get_issue_details", '{"issueUrl":"https://o.sentry.io/issues/1"}',
    ),
    "a resource by address": (
        "ALICE", "sentry", "get_sentry_resource", '{"url":"https://o.sentry.io/issues/1"}',
    ),
    "another region": (
        "BOB", "sentry", "whoami", '{"regionUrl":"https://sentry.io.evil.example"}',
    ),
    "a delete through a dispatcher": (
        "CAROL", "sentry", "execute_sentry_tool",
        '{"name":"delete_uptime_monitor","arguments":{"projectSlug":"production"}}',
    ),
    "a dispatcher in a dispatcher": (
        "ALICE", "sentry", "execute_sentry_tool",
        '{"name":"execute_sentry_tool","arguments":{"name":"whoami","arguments":{}}}',
    ),
    "another project through a dispatcher": (
        "ALICE", "sentry", "execute_sentry_tool",
        '{"name":"find_releases","arguments":{"projectSlug":"billing"}}',
    ),
    "a dispatcher without a name": ("ALICE", "sentry", "execute_sentry_tool", "{}"),
    "an unknown tool through a dispatcher": (
        "CAROL", "sentry", "execute_sentry_tool", '{"name":"obliterate","arguments":{}}',
    ),
    "secrets through a dispatcher": (
        "ALICE", "sentry", "execute_sentry_tool",
        '{"name":"find_dsns","arguments":{"projectSlug":"production"}}',
    ),
}  # fmt: skip

PERMITTED = {
    "its own repository": ("ALICE", "github", "list_issues", f"{{{REPO}}}"),
    "its own in capitals": (
        "ALICE", "github", "list_issues", '{"owner":"MyOrg","repo":"Public-Project"}',
    ),
    "by the whole name": ("ALICE", "github", "list_issues", '{"repo":"myorg/public-project"}'),
    "by a glob": ("ALICE", "github", "get_file_contents", '{"owner":"myorg","repo":"docs-api"}'),
    "no repository needed": ("ALICE", "github", "get_me", "{}"),
    "a method that writes": (
        "ALICE", "github", "label_write", f'{{{REPO},"method":"create","name":"x"}}',
    ),
    "two targets, both inside": (
        "ALICE", "github", "issue_dependency_write",
        f'{{{REPO},"method":"add","related_repo":"docs-api"}}',
    ),
    "a reader reads": ("BOB", "github", "search_code", '{"query":"repo:myorg/core"}'),
    "its own project": (
        "ALICE", "sentry", "find_releases", '{"organizationSlug":"o","projectSlug":"production"}',
    ),
    "through a dispatcher": (
        "ALICE", "sentry", "execute_sentry_tool",
        '{"name":"find_releases","arguments":{"projectSlug":"staging"}}',
    ),
    "the right region": ("BOB", "sentry", "whoami", '{"regionUrl":"https://de.sentry.io"}'),
}  # fmt: skip


def said(caller: Caller, tool: str, arguments: str) -> Answer:
    """Call a tool with arguments as they are written."""
    body, headers = caller.call(tool, {"%": 0})
    text = json.dumps(body).replace(json.dumps({"%": 0}), arguments)
    return caller.ask(text.encode(), headers)


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize("case", FORBIDDEN)
def test_nothing_forbidden_arrives(
    case: str, era: str, gate: Town, github: Named, sentry: Named
) -> None:
    who, where, tool, arguments = FORBIDDEN[case]
    with gate.caller(who, server=where) as caller:
        if era == "legacy" and who != "MALLORY":
            caller.begin()
        github.seen.clear()
        sentry.seen.clear()

        answer = said(caller, tool, arguments)

    message = answer.message
    assert "error" in message or message["result"]["isError"] is True, message
    assert (github.arrived(), sentry.arrived()) == ([], [])


@pytest.mark.parametrize("era", ["modern", "legacy"])
@pytest.mark.parametrize("case", PERMITTED)
def test_what_is_permitted_arrives_as_it_was_sent(
    case: str, era: str, gate: Town, github: Named, sentry: Named
) -> None:
    who, where, tool, arguments = PERMITTED[case]
    with gate.caller(who, server=where) as caller:
        if era == "legacy":
            caller.begin()
        github.seen.clear()
        sentry.seen.clear()

        answer = said(caller, tool, arguments)

    assert answer.status == 200, answer
    assert not answer.message["result"].get("isError"), answer.message
    (sent,) = [*github.arrived(), *sentry.arrived()]
    assert sent["arguments"] == json.loads(arguments)


def test_headers_that_say_another_tool_are_refused(gate: Town, github: Named) -> None:
    params = {"name": "delete_repository", "arguments": {"owner": "myorg", "repo": "docs-a"}}
    github.seen.clear()
    with gate.caller("ALICE", server="github") as caller:
        answer = caller.ask(modern("tools/call", params), routing("tools/call", "get_me"))

    assert (answer.status, answer.error["code"]) == (400, -32020)
    assert github.arrived() == []


def test_a_legacy_body_counts_whatever_its_headers_say(gate: Town, github: Named) -> None:
    params = {"name": "delete_file", "arguments": {"owner": "myorg", "repo": "docs-a"}}
    with gate.caller("ALICE", server="github") as caller:
        caller.begin()
        github.seen.clear()
        headers = {"mcp-name": "get_me", "mcp-method": "tools/call"}
        answer = caller.ask(legacy("tools/call", params), headers)

    assert "error" in answer.message or answer.message["result"]["isError"] is True
    assert github.arrived() == []


def test_a_batch_is_no_side_door(gate: Town, github: Named) -> None:
    calls = [
        modern("tools/call", {"name": name, "arguments": {"owner": "myorg", "repo": "docs-a"}}, at)
        for at, name in enumerate(("list_issues", "delete_file"))
    ]
    github.seen.clear()
    with gate.caller("ALICE", server="github") as caller:
        answer = caller.ask(calls, routing("tools/call", "list_issues"))

    assert answer.status == 400
    assert github.arrived() == []


def test_a_call_without_an_id_is_no_side_door(gate: Town, github: Named) -> None:
    params = {"name": "delete_file", "arguments": {"owner": "myorg", "repo": "docs-a"}}
    with gate.caller("ALICE", server="github") as caller:
        caller.begin()
        github.seen.clear()
        caller.ask({"jsonrpc": "2.0", "method": "tools/call", "params": params})

    assert github.arrived() == []


@pytest.mark.parametrize("method", ["resources/read", "prompts/get", "resources/subscribe"])
def test_other_methods_do_not_pass_a_bound(method: str, gate: Town, github: Named) -> None:
    params = {"uri": "repo://myorg/core/contents/secrets.txt", "name": "issue", "arguments": {}}
    with gate.caller("ALICE", server="github") as caller:
        caller.begin()
        github.seen.clear()
        answer = caller.ask(legacy(method, params))

    assert "error" in answer.message
    assert [each.message.get("method") for each in github.seen] == []
