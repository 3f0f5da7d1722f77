"""Who can come in as whom, as far as the machine can tell."""

import datetime
import os
from pathlib import Path

import pytest

from tests.torhaus.upstream.certificates import authority
from torhaus.cli.doctor.finding import Finding, Level
from torhaus.cli.doctor.identity import findings
from torhaus.config.load import load_text

NOW = datetime.datetime.now(datetime.UTC)
OAUTH = "auth: {{oauth: {{issuer: 'https://idp.example', client_id: x, client_secret: {}}}}}"


def found(text: str, home: Path = Path("data"), now: datetime.datetime = NOW) -> dict[str, Finding]:
    loaded = load_text(text, str(home / "torhaus.yml"), {}, home)
    return {each.check: each for each in findings(loaded, now)}


@pytest.mark.parametrize(
    ("days", "level", "said"),
    [
        (25, Level.WARN, "ends in"),
        (29, Level.WARN, "ends in"),
        (13, Level.FAIL, "ends in"),
        (60, Level.PASS, "is good until"),
        (-1, Level.FAIL, "ended on"),
    ],
)
def test_a_certificate_that_ends_soon_is_told_of(
    days: int, level: Level, said: str, tmp_path: Path
) -> None:
    pem = authority(tmp_path).pem("gw.example", days=days)
    text = f"server: {{public_url: 'https://gw.example', tls: {{cert: {pem}, key: {pem}}}}}"

    told = found(text, tmp_path)["certificate"]

    assert told.level is level
    assert said in told.message


def test_without_tls_there_is_no_certificate() -> None:
    assert "certificate" not in found("{}")


def test_others_must_know_what_to_call_the_gateway() -> None:
    assert "public address" not in found("{}")
    assert found("server: {host: 0.0.0.0}")["public address"].level is Level.WARN
    named = "server: {host: 0.0.0.0, public_url: 'https://gw.example'}"
    assert found(named)["public address"].level is Level.PASS


def test_somebody_must_be_able_to_sign_in_and_administrators_with_two_factors() -> None:
    assert found("{}")["sign-in"].level is Level.PASS
    assert "second factor" not in found("{}")
    closed = found("auth: {local: {enabled: false}}")
    assert closed["sign-in"].level is Level.WARN
    loose = found("auth: {local: {second_factor: optional}}")
    assert loose["second factor"].level is Level.WARN


@pytest.mark.parametrize("secret", ["changeme", "Password", "short"])
def test_secrets_that_can_be_guessed_are_told_of_and_not_shown(secret: str) -> None:
    told = found(OAUTH.format(secret))["secrets"]

    assert told.level is Level.WARN
    assert secret not in told.message.replace("short,", "")


def test_secrets_that_a_program_made_up_are_fine() -> None:
    assert found(OAUTH.format("0a5c5b1e9d8f4a47"))["secrets"].level is Level.PASS


def test_a_clock_behind_what_was_written_is_wrong(tmp_path: Path) -> None:
    assert found("{}", tmp_path)["clock"].level is Level.PASS
    hot = tmp_path / "audit" / "hot"
    hot.mkdir(parents=True)
    (hot / "seg-1.jsonl").touch()
    os.utime(hot / "seg-1.jsonl", (NOW.timestamp(),) * 2)
    assert found("{}", tmp_path)["clock"].level is Level.PASS

    os.utime(hot / "seg-1.jsonl", (NOW.timestamp() + 3600,) * 2)

    told = found("{}", tmp_path)["clock"]
    assert (told.level, "behind the audit log" in told.message) == (Level.FAIL, True)
    early = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    assert found("{}", tmp_path, early)["clock"].level is Level.FAIL
