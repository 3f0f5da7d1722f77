"""`torhaus tools`: what a server offers, and what each tool counts as."""

import sys
from pathlib import Path

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import KEY, TINY, configured, torhaus
from torhaus.cli.listing import Tool
from torhaus.cli.tools import Judged, judge
from torhaus.model.servers import Server, StdioAddress
from torhaus.policy.tables import shipped


def server(name: str) -> Server:
    classes, parents = shipped(name, None)
    address = StdioAddress(command="x")
    return Server(name=name, address=address, classes=classes, parents=parents)


def judged(name: str, tool: str, **hints: bool) -> Judged:
    return judge(server(name), Tool(tool, annotations=hints))


def test_a_server_is_asked_directly_and_its_tools_are_classified(tmp_path: Path) -> None:
    configured(tmp_path)

    said = torhaus("tools", "git", at=tmp_path)

    assert (said.code, said.err) == (0, "")
    assert [line.split() for line in said.out.splitlines()] == [
        ["tool", "does", "type", "by"],
        ["git_status", "read", "repos", "table"],
        ["git_commit", "write", "commits", "table"],
        ["fail", "unknown", "-", "unknown"],
    ]
    assert not (tmp_path / "data").exists()


def test_json_has_the_same(tmp_path: Path) -> None:
    configured(tmp_path)

    said = torhaus("tools", "git", "--json", at=tmp_path)

    first = said.json()["tools"][0]
    assert said.json()["server"] == "git"
    assert (first["name"], first["actions"], first["source"]) == ("git_status", ["read"], "table")


def test_through_a_gateway_it_lists_what_the_key_may_use(gate: Gate) -> None:
    env = {"TORHAUS_KEY": KEY}

    said = torhaus("tools", "git", "--url", gate.url, at=gate.home, env=env)
    names = torhaus("tools", "git", "--url", gate.url, "--json", at=gate.home, env=env)

    assert said.out == "git_status\n1 tool that this key may use on git.\n"
    assert [tool["name"] for tool in names.json()["tools"]] == ["git_status"]


def test_a_server_that_is_not_configured_is_wrong_use(tmp_path: Path) -> None:
    configured(tmp_path)

    said = torhaus("tools", "gti", at=tmp_path)

    assert said.code == 2
    assert said.err == "torhaus.yml has no server gti; it has: git, time\n"


def test_a_server_that_cannot_be_asked_is_exit_code_1_without_its_secrets(tmp_path: Path) -> None:
    configured(
        tmp_path,
        f"mcpServers: {{a: {{command: {sys.executable}, args: [{TINY}, broken],"
        " env: {TOKEN: no-such-database-4711}}}",
    )

    said = torhaus("tools", "a", at=tmp_path)

    assert said.code == 1
    assert said.err.startswith("a cannot be asked: ")
    assert "4711" not in said.err


@pytest.mark.parametrize(
    ("name", "tool", "expected"),
    [
        ("git", "git_log", (("read",), "commits", "table")),
        ("notes", "list_notes", (("read",), "notes", "name")),
        ("notes", "frobnicate", (("unknown",), "", "unknown")),
    ],
)
def test_the_source_says_who_classified(
    name: str, tool: str, expected: tuple[tuple[str, ...], str, str]
) -> None:
    known = judged(name, tool)

    assert (known.actions, known.source) == (expected[0], expected[2])


def test_annotations_that_raise_are_named_as_the_source() -> None:
    assert judged("git", "git_log", readOnlyHint=False).source == "annotations"
    assert judged("git", "git_log", readOnlyHint=False).actions == ("write",)
    assert judged("git", "git_log", readOnlyHint=True).source == "table"


def test_an_argument_that_decides_is_named() -> None:
    known = judged("github", "issue_write")

    assert known.argument == "method"
    assert known.actions == ("write",)


def test_a_tool_that_runs_others_is_marked() -> None:
    known = judged("sentry", "execute_sentry_tool")

    assert known.dispatches
    assert {"read", "write"} <= set(known.actions)
