"""SECURITY.md says what is proved, and by which test: each of them is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = re.findall(r"^\| (\d+) \| (.*)\|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
LINK = re.compile(r"\]\((tests/[\w/]+\.py)#(test_\w+)\)")


@cache
def known(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def test_there_are_forty_attacks() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 41))


@pytest.mark.parametrize(("number", "row"), ROWS)
def test_a_row_names_tests_that_are_there(number: str, row: str) -> None:
    named = LINK.findall(row)

    assert named or "Not proven" in row
    assert [each for each in named if each[1] not in known(each[0])] == []


@pytest.mark.parametrize(("number", "row"), ROWS)
def test_a_row_links_nothing_else_that_is_missing(number: str, row: str) -> None:
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", row)}

    assert [each for each in linked if not (ROOT / each).is_file()] == []
