import csv
import json as program

import pytest

from torhaus.cli.audit.table import comma, for_people, json

NAMES = ["user", "n"]


def test_json_is_an_array_of_objects() -> None:
    assert program.loads(json(NAMES, [["alice", 1], ["bob", None]])) == [
        {"user": "alice", "n": 1},
        {"user": "bob", "n": None},
    ]


def test_json_drives_no_terminal() -> None:
    shown = json(["a"], [["\x9b31m"]])

    assert shown == '[\n  {\n    "a": "\\u009b31m"\n  }\n]\n'


def test_no_rows_are_an_empty_array() -> None:
    assert json(NAMES, []) == "[]\n"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_looks_like_a_formula_is_text(first: str) -> None:
    text = comma([f"{first}name"], [[f"{first}1+2"]])

    rows = list(csv.reader(text.splitlines(keepends=True)))
    seen = program.dumps(first)[1:-1]  # a line break would be one in the file too
    assert rows == [[f"'{seen}name"], [f"'{seen}1+2"]]


def test_numbers_and_nothing_stay_what_they_are() -> None:
    assert comma(["a", "b", "c", "d"], [[-1, None, True, {"x": [1]}]]) == (
        'a,b,c,d\r\n-1,,true,"{""x"":[1]}"\r\n'
    )


def test_what_a_terminal_would_act_on_is_escaped_and_rows_stay_rows() -> None:
    shown = for_people(["a\x1b[2J", "b"], [["x\ny\tz\x07", 1], ["\u202eevil", 2]]).plain

    assert "\x1b" not in shown
    assert shown.count("\n") == 2
    assert "x\\ny\\tz\\u0007" in shown
    assert "\\u202eevil" in shown


def test_a_long_cell_is_cut_for_people_only() -> None:
    assert len(for_people(["a"], [["x" * 500]]).plain.splitlines()[1]) == 120
    assert "x" * 500 in comma(["a"], [["x" * 500]])
