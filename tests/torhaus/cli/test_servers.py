"""`torhaus servers`, against a running gateway."""

from pathlib import Path

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.keeping import keeping, said, status
from tests.torhaus.cli.terminal import CONFIG, KEY

DEAD = CONFIG.replace(
    "mcpServers:\n", "mcpServers:\n  dead: {url: 'http://127.0.0.1:9/mcp'}\n", 1
).replace("[git.*]", "[git.*, dead.*]")


def test_servers_are_listed_with_what_went_wrong(tmp_path: Path) -> None:
    with keeping(tmp_path, DEAD) as gate:
        status(gate, "a")
        said(gate, "call", "dead", "a", "--url", gate.url)
        shown = said(gate, "servers")
        dead, git = said(gate, "servers", "--json").json()

    assert (git["name"], git["state"], git["transport"], git["error"]) == (
        "git",
        "ready",
        "stdio",
        None,
    )
    assert (dead["name"], dead["transport"]) == ("dead", "auto")
    assert (dead["state"], dead["tools"], dead["failures"]) == ("failing", 0, 1)
    assert dead["error"] == "no connection to 127.0.0.1:9: Connection refused"
    lines = shown.out.splitlines()
    assert lines[0].split() == ["server", "state", "transport", "tools", "last", "error"]
    assert lines[2].split()[:3] == ["git", "ready", "stdio"]


def test_somebody_who_administers_nothing_gets_a_sentence(gate: Gate) -> None:
    told = said(gate, "servers", key=KEY)

    assert told.code == 1
    assert "admin permission on a server" in told.err
