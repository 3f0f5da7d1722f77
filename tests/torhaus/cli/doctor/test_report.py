"""`torhaus doctor` as a program."""

from pathlib import Path

from tests.torhaus.cli.terminal import CONFIG, configured, torhaus

SOUND = "server: {port: 0}\n" + CONFIG


def test_a_sound_installation_passes(tmp_path: Path) -> None:
    configured(tmp_path, SOUND)

    said = torhaus("doctor", at=tmp_path)

    assert (said.code, said.err) == (0, "")
    assert "pass  server git" in said.out
    assert said.out.endswith("passed, 0 to think about, 0 failed\n")
    assert not (tmp_path / "data").exists()


def test_a_failure_is_exit_code_1_with_what_to_do(tmp_path: Path) -> None:
    configured(tmp_path, SOUND)
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)

    said = torhaus("doctor", at=tmp_path)

    assert said.code == 1
    assert "fail  data directory" in said.out
    assert "fix: chmod 700 data\n" in said.out


def test_json_has_every_finding(tmp_path: Path) -> None:
    configured(tmp_path, SOUND + "audit_logs: {durability: async}\n")

    said = torhaus("doctor", "--json", at=tmp_path)

    assert said.code == 0
    assert said.json()["ok"] is True
    levels = {each["check"]: each["level"] for each in said.json()["findings"]}
    assert levels["audit durability"] == "warn"
    assert levels["versions"] == "pass"


def test_every_problem_of_the_configuration_is_a_failure(tmp_path: Path) -> None:
    configured(tmp_path, "a: 1\nb: 2\n")

    said = torhaus("doctor", "--json", at=tmp_path)

    assert said.code == 1
    failed = [each for each in said.json()["findings"] if each["level"] == "fail"]
    assert [each["check"] for each in failed] == ["configuration", "configuration"]
