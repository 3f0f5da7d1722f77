"""`torhaus demo`: what somebody sees who starts Torhaus for the first time."""

import stat
from pathlib import Path

from tests.torhaus.cli.terminal import ROOT, Running, Warm, configured, torhaus
from torhaus.identity.keys import well_formed

LAST = "Every call from now on"


def test_it_shows_a_call_a_refusal_and_their_records_and_keeps_serving(tmp_path: Path) -> None:
    configured(tmp_path)

    with Running("demo", "--port", "0", at=tmp_path) as running:
        url = running.url()
        out = running.wait_for(LAST)
        key = (tmp_path / "data" / "demo.key").read_text().strip()
        said = torhaus("call", "git", "git_status", "--url", url, "--key", key, at=tmp_path)
        running.wait_for("| git.git_status |")

        assert running.stop() == 0
        assert running.err == ""

    assert said.code == 0
    assert 'request  time.get_current_time {"timezone": "Europe/Berlin"}' in out
    assert 'answer   {"timezone": "Europe/Berlin"}' in out
    assert "| alice@example.com | time.get_current_time | timezone=Europe/Berlin\n" in out
    assert "refused  `git_commit` on git is a write on commits" in out
    assert "| denied: `git_commit` on git is a write on commits" in out
    assert f'{url}/mcp/time --header "apikey: {key}"\n' in out
    assert f"{url}/setup/" in out


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    configured(tmp_path)
    keys = []
    for _ in range(2):
        with Warm("demo", "--port", "0", at=tmp_path) as running:
            running.wait_for(LAST)
            keys.append((tmp_path / "data" / "demo.key").read_text())
            assert running.stop() == 0

    assert keys[0] == keys[1]
    assert well_formed(keys[0].strip())
    assert stat.S_IMODE((tmp_path / "data" / "demo.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_key_in_the_environment_is_used_and_none_is_made(tmp_path: Path) -> None:
    configured(tmp_path)
    env = {"TORHAUS_FIRST_KEY": "a-key-of-my-own-choice"}

    with Warm("demo", "--port", "0", at=tmp_path, env=env) as running:
        out = running.wait_for(LAST)
        assert running.stop() == 0

    assert 'apikey: a-key-of-my-own-choice"' in out
    assert "answer   {" in out
    assert not (tmp_path / "data" / "demo.key").exists()


def test_without_a_configuration_the_example_is_put_in_place(tmp_path: Path) -> None:
    with Warm("demo", "--port", "0", at=tmp_path) as running:
        out = running.wait_for(LAST)

        assert running.stop() == 0

    assert "Wrote torhaus.yml" in out
    example = (ROOT / "torhaus.example.yml").read_text()
    assert (tmp_path / "torhaus.yml").read_text() == example


def test_a_configuration_that_does_not_know_the_key_is_served_without_a_call(
    tmp_path: Path,
) -> None:
    text = (
        "users: [{email: a@b.example, role: r, api_keys: [some-other-key-xyz]}]\nroles: {r: {}}\n"
    )
    configured(tmp_path, text)

    with Warm("demo", "--port", "0", at=tmp_path) as running:
        out = running.wait_for(LAST)
        assert running.stop() == 0

    assert "No call is made: no user in torhaus.yml has the key" in out
    assert (tmp_path / "torhaus.yml").read_text() == text


def test_a_server_that_does_not_start_is_told_with_its_record(tmp_path: Path) -> None:
    configured(
        tmp_path,
        "mcpServers: {time: {command: no-such-program-anywhere}}\n"
        "users: [{email: a@b.example, role: r, api_keys: ['${TORHAUS_FIRST_KEY}']}]\n"
        "accessControl: [{role: r, allow: [time.read]}]\n",
    )

    with Warm("demo", "--port", "0", at=tmp_path) as running:
        out = running.wait_for(LAST)
        assert running.stop() == 0

    assert "answer   time cannot answer: it cannot be started" in out
    assert "| a@b.example | time.initialize | " in out


def test_a_spoiled_key_file_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "demo.key").write_text("nonsense\n")

    said = torhaus("demo", "--port", "0", at=tmp_path)

    assert said.code == 1
    assert "data/demo.key does not hold a key" in said.err
