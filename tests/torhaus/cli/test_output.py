"""What commands print."""

import json

import pytest
import typer
from rich.text import Text

from torhaus.cli.output import columns, complain, counted, misused, printable, refuse, say, say_json


def test_control_and_hidden_characters_become_escapes() -> None:
    assert printable("\x1b]0;x\x07\u202eü\t\n") == "\\u001b]0;x\\u0007\\u202eü\t\n"
    assert printable("\U000e0041") == "\\U000e0041"


def test_columns_stand_under_each_other_whatever_the_script() -> None:
    table = columns([["a", "1"], ["東京", Text("2")], ["\x1b", ""]], indent=1)

    assert table.plain == " a       1\n 東京    2\n \\u001b"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "no keys"), (1, "1 key"), (2, "2 keys"), (1000, "1000 keys")]
)
def test_numbers_of_things_are_spelled(number: int, words: str) -> None:
    assert counted(number, "key") == words


def test_a_long_line_is_not_cut_or_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    say("x" * 3000 + " [bold]y[/bold] :smile:")

    assert capsys.readouterr().out == "x" * 3000 + " [bold]y[/bold] :smile:\n"


def test_complaints_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    complain("no")

    assert capsys.readouterr() == ("", "no\n")


def test_json_is_one_document_in_any_script(capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"ü": [1, None]})

    assert json.loads(capsys.readouterr().out) == {"ü": [1, None]}


def test_json_drives_no_terminal_and_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"a": "\x9b31m \x7f \u202e ü 🙂", "b\x85": "\x1b"}

    say_json(value)

    shown = capsys.readouterr().out
    assert json.loads(shown) == value
    assert all(each.isprintable() for each in shown.replace("\n", ""))
    assert "ü 🙂" in shown


def test_no_and_wrong_use_have_their_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as no:
        refuse("no\x1b")
    with pytest.raises(typer.Exit) as wrong:
        misused("wrong")

    assert (no.value.exit_code, wrong.value.exit_code) == (1, 2)
    assert capsys.readouterr() == ("", "no\\u001b\nwrong\n")
