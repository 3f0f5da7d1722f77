"""Rows of an answer: as JSON and CSV for programs, as columns for people."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from rich.text import Text

from torhaus.audit.cells import safe
from torhaus.cli.output import columns, printable, printable_json

WIDEST = 120
"""Characters of a cell that people see."""

Rows = Sequence[Sequence[Any]]


def json(names: Sequence[str], rows: Rows) -> str:
    """An array of objects."""
    found = [dict(zip(names, row, strict=True)) for row in rows]
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    return printable_json(text) + "\n"


def comma(names: Sequence[str], rows: Rows) -> str:
    """RFC 4180; no cell is taken for a formula."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow([safe(name) for name in names])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return target.getvalue()


def for_people(names: Sequence[str], rows: Rows) -> Text:
    """Columns under each other; what a terminal would act on is escaped, long cells are cut."""
    head = [Text(_line(name), "bold") for name in names]
    return columns([head, *([_line(_said(value)) for value in row] for row in rows)])


def _cell(value: Any) -> str:
    """A number can only be one; all else might be read as something."""
    text = _said(value)
    return text if isinstance(value, int | float) else safe(text)


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _line(text: str) -> str:
    shown = printable(text).replace("\n", "\\n").replace("\t", "\\t")
    return shown if len(shown) <= WIDEST else shown[: WIDEST - 1] + "…"


FORMATS: Mapping[str, Callable[[Sequence[str], Rows], str]] = {"json": json, "csv": comma}
