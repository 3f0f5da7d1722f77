"""`torhaus tools`: what a server offers, and what each tool counts as."""

import sys
from pathlib import Path

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import CONFIG, KEY, TINY, configured, torhaus


def test_a_server_is_asked_directly_and_its_tools_are_classified(tmp_path: Path) -> None:
    configured(tmp_path)

    said = torhaus("tools", "git", at=tmp_path)

    assert (said.code, said.err) == (0, "")
    assert [line.split() for line in said.out.splitlines()] == [
        ["tool", "does", "type", "about", "by"],
        ["git_status", "read", "repos", "paths:", "repo_path", "table"],
        ["git_commit", "write", "commits", "paths:", "repo_path", "table"],
        ["fail", "unknown", "-", "-", "unknown"],
    ]
    assert not (tmp_path / "data").exists()


def test_names_that_some_models_refuse_are_named(tmp_path: Path) -> None:
    prefix = "aggregate: {client_prefix: %s, aliases: {st: git__git_status}}\n" % ("p" * 50)
    configured(tmp_path, CONFIG + prefix)

    said = torhaus("tools", "git", at=tmp_path)

    assert "1 name is longer at /mcp than the 64 characters" in " ".join(said.out.split())
    assert said.out.splitlines()[-1].split() == ["git__git_commit"]


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
