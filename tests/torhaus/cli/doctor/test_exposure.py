"""What the configuration exposes."""

from pathlib import Path

import pytest

from torhaus.cli.doctor.exposure import findings
from torhaus.cli.doctor.finding import Finding, Level
from torhaus.config.load import load_text

KEY = "0123456789abcdef0123"


def found(text: str) -> dict[str, Finding]:
    loaded = load_text(text, "torhaus.yml", {}, Path("data"))
    return {each.check: each for each in findings(loaded)}


@pytest.mark.parametrize(
    ("server", "level"),
    [
        ("{}", Level.PASS),
        ("{host: '::1'}", Level.PASS),
        ("{host: 0.0.0.0}", Level.WARN),
        ("{host: 0.0.0.0, public_url: http://gate.example.com}", Level.WARN),
        ("{host: 0.0.0.0, public_url: https://gate.example.com}", Level.PASS),
        ("{host: 0.0.0.0, plaintext: loopback}", Level.PASS),
        ("{host: 0.0.0.0, plaintext: any}", Level.FAIL),
        ("{host: 0.0.0.0, plaintext: any, public_url: https://g.example}", Level.FAIL),
        ("{host: 127.0.0.1, plaintext: any}", Level.PASS),
    ],
)
def test_keys_in_the_clear_are_told(server: str, level: Level) -> None:
    assert found(f"server: {server}")["encryption"].level is level


def test_good_keys_pass_and_short_ones_are_a_doubt() -> None:
    def user(key: str) -> str:
        return f"users: [{{email: a@b.example, role: r, api_keys: [{key}]}}]\nroles: {{r: {{}}}}"

    assert found(user(KEY))["keys"].level is Level.PASS
    assert found(user("short"))["keys"].level is Level.WARN
    assert "short" not in found(user("short"))["keys"].message.replace("shorter", "")


def test_anonymous_access_is_a_doubt() -> None:
    text = "auth: {anonymous: {networks: [loopback], roles: [r]}}\nroles: {r: {}}"

    assert "127.0.0.0/8" in found(text)["anonymous access"].message
    assert "anonymous access" not in found("{}")


def test_records_that_can_be_lost_are_a_doubt() -> None:
    assert found("{}")["audit durability"].level is Level.PASS
    assert found("audit_logs: {durability: strict}")["audit durability"].level is Level.PASS
    unrecorded = found("audit_logs: {on_failure: allow}")["audit durability"]
    assert unrecorded.level is Level.WARN
    assert "on_failure: deny" in unrecorded.fix
    lossy = found("audit_logs: {durability: async, flush: 50ms}")["audit durability"]
    assert (lossy.level, "50 ms" in lossy.message) == (Level.WARN, True)


def test_warnings_of_the_loader_are_findings_with_their_line() -> None:
    warned = found("mcpServers:\n  a: {command: no-such-program-anywhere}\n")["configuration"]

    assert warned.level is Level.WARN
    assert warned.fix != ""
