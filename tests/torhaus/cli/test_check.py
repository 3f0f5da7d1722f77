"""`torhaus check`."""

from pathlib import Path

from tests.torhaus.cli.terminal import configured, torhaus


def test_a_valid_file_is_exit_code_0(tmp_path: Path) -> None:
    configured(tmp_path)

    said = torhaus("check", at=tmp_path)

    assert (said.code, said.err) == (0, "")
    assert said.out == "torhaus.yml is valid: 2 servers, 2 keys, no warnings.\n"


def test_every_problem_is_printed_with_its_line_and_fix(tmp_path: Path) -> None:
    path = tmp_path / "other.yml"
    path.write_text("server:\n  port: many\naccessControl: 7\n")

    said = torhaus("check", "-c", str(path), at=tmp_path)

    assert said.code == 1
    assert said.out == ""
    assert "other.yml:2: error: server.port" in said.err
    assert "other.yml:3: error: accessControl" in said.err
    assert "    fix: " in said.err


def test_json_has_errors_and_warnings(tmp_path: Path) -> None:
    configured(tmp_path, "server:\n  prot: 80\n")

    said = torhaus("check", "--json", at=tmp_path)

    assert said.code == 1
    assert said.json()["ok"] is False
    assert [(e["line"], e["path"]) for e in said.json()["errors"]] == [(2, "server.prot")]
    assert "port" in said.json()["errors"][0]["fix"]


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    configured(tmp_path, "mcpServers: {a: {command: no-such-program-anywhere}}\n")

    said = torhaus("check", "--json", at=tmp_path)
    words = torhaus("check", at=tmp_path)

    assert (said.code, words.code) == (0, 0)
    assert any("no such program" in each["message"] for each in said.json()["warnings"])
    assert "warning: mcpServers.a.command" in words.err


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = torhaus("check", "-c", "nowhere.yml", at=tmp_path)

    assert said.code == 1
    assert "nowhere.yml: error: the file cannot be read" in said.err


def test_no_secret_is_printed(tmp_path: Path) -> None:
    configured(tmp_path, 'users: [{email: a@b.example, rol: x, api_keys: ["${THE_KEY}"]}]\n')

    said = torhaus("check", at=tmp_path, env={"THE_KEY": "sesame-open-4711"})

    assert said.code == 1
    assert "sesame" not in said.out + said.err
