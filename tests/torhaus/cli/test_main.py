"""The command as a whole: its words, its exit codes."""

import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import Said, anew, cold, command, surroundings, torhaus
from torhaus.cli.main import COMMANDS, GROUPS, Words


def _leaves(words: Words, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """(the words of a command, MODULE:FUNCTION)"""
    for word, where in words.items():
        if isinstance(where, str):
            yield (*above, word), where
        else:
            yield from _leaves(where[1], (*above, word))


LEAVES = dict(_leaves({**COMMANDS, **GROUPS}))
MODULES = {where.partition(":")[0]: words for words, where in LEAVES.items()}
"""Each with one of its commands."""


def test_help_says_of_every_command_what_it_says_of_itself(tmp_path: Path) -> None:
    said = cold("--help", at=tmp_path)

    assert said.code == 0
    told = dict(line.split(None, 1) for line in said.out.partition("Commands:\n")[2].splitlines())
    assert list(told) == [*COMMANDS, *GROUPS]
    for word, text in told.items():
        assert says_of_itself(word).startswith(text.removesuffix("...").rstrip()), word


def says_of_itself(word: str) -> str:
    if word in GROUPS:
        return GROUPS[word][0]
    module, _, function = COMMANDS[word].partition(":")
    return " ".join(str(getattr(import_module(f"torhaus.cli.{module}"), function).__doc__).split())


@pytest.mark.parametrize("words", [*LEAVES, *((each,) for each in GROUPS)], ids=" ".join)
def test_every_command_says_how_it_is_used(tmp_path: Path, words: tuple[str, ...]) -> None:
    used_as_it_says(words, torhaus(*words, "--help", at=tmp_path))


@pytest.mark.parametrize("words", MODULES.values(), ids=" ".join)
def test_every_module_of_commands_starts_by_itself(tmp_path: Path, words: tuple[str, ...]) -> None:
    """With nothing of ours loaded that another one needs."""
    used_as_it_says(words, anew(*words, "--help", at=tmp_path))


@pytest.mark.parametrize("words", [("explain",), ("audit", "tail"), ("keys",)], ids=" ".join)
def test_commands_start_from_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    """So do `serve`, `demo`, `check` and `config schema` in tests of what they do."""
    used_as_it_says(words, cold(*words, "--help", at=tmp_path))


def used_as_it_says(words: tuple[str, ...], said: Said) -> None:
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
