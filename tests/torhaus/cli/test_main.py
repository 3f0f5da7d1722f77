"""The command as a whole: its words, its exit codes."""

import subprocess
from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import cold, command, surroundings
from torhaus.cli.main import COMMANDS, GROUPS


def test_help_names_every_command(tmp_path: Path) -> None:
    said = cold("--help", at=tmp_path)

    assert said.code == 0
    assert [word for word in (*COMMANDS, *GROUPS) if f"  {word} " not in said.out] == []


WORDS = [(word,) for word in COMMANDS] + [
    (group, word) for group, (_, below) in GROUPS.items() for word in below
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_every_command_starts_by_itself(tmp_path: Path, words: tuple[str, ...]) -> None:
    said = cold(*words, "--help", at=tmp_path)

    assert (said.code, said.err) == (0, "")
    assert said.out.strip().startswith(f"Usage: torhaus {' '.join(words)}")


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["serve", "--nonsense"], ["serve", "--port", "x"], ["call", "one"], []],
    ids=" ".join,
)
def test_wrong_use_is_exit_code_2(tmp_path: Path, words: list[str]) -> None:
    assert cold(*words, at=tmp_path).code == 2


def test_a_reader_that_goes_away_sees_no_traceback(tmp_path: Path) -> None:
    program = subprocess.Popen(
        command("config", "schema"),
        env=surroundings(tmp_path, None),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()

        assert b"Traceback" not in program.stderr.read()


def test_a_terminal_without_unicode_gets_escapes(tmp_path: Path) -> None:
    (tmp_path / "torhaus.yml").write_text("sërver: 1\n", "utf-8")

    said = cold("check", at=tmp_path, env={"PYTHONIOENCODING": "ascii"})

    assert said.code == 1
    assert "s\\xebrver" in said.err
