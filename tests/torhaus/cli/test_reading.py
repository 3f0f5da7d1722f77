"""The configuration with the command line on top."""

from pathlib import Path

import pytest
import typer

from torhaus.cli.reading import Reader, read_or_exit, told
from torhaus.config.problems import Problem

FILE = "server: {host: 127.0.0.2, port: 9000, data_dir: there}\n"


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text(FILE)

    settings = Reader(path=path, host="::1", port=0, data_dir=tmp_path)().settings

    assert (settings.host, settings.port, settings.data_dir) == ("::1", 0, tmp_path)


def test_what_the_command_line_does_not_say_the_file_says(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text(FILE)

    settings = Reader(path=path)().settings

    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.2", 9000, Path("there"))


def test_a_bad_file_ends_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.yml"
    path.write_text("a: 1\nb: 2\n")

    with pytest.raises(typer.Exit) as ended:
        read_or_exit(Reader(path=path))

    assert ended.value.exit_code == 1
    assert capsys.readouterr().err.count("error: ") == 2


def test_a_problem_is_told_with_place_and_fix() -> None:
    problem = Problem(file="f\x1b", line=3, path="a.b", message="wrong", fix="do this")
    bare = Problem(file="f", line=None, path="", message="wrong", fix="")

    assert told(problem, "fail").plain == "f\\u001b:3: error: a.b: wrong\n    fix: do this"
    assert told(bare, "warn").plain == "f: warning: wrong"
