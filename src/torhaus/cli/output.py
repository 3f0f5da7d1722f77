"""What commands print: words for people, JSON for programs, and how they end."""

import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import msgspec
import typer
from rich.console import Console, RenderableType
from rich.text import Text

NO = 1
WRONG_USE = 2

_WIDE = 4096
"""Columns when nobody looks: a program that reads us must not get its lines cut."""

STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red", "refused": "yellow"}


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    # Markup and emoji codes are for text of our own; what we print comes from servers and files.
    return Console(
        stderr=stderr,
        width=None if stream.isatty() else _WIDE,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )


def say(text: RenderableType = "", style: str | None = None) -> None:
    """Print to standard output."""
    _console(stderr=False).print(text, style=style)


def complain(text: RenderableType, style: str | None = None) -> None:
    """Print to standard error."""
    _console(stderr=True).print(text, style=style)


def say_json(value: Any) -> None:
    """One JSON document, indented. `value`: what msgspec can encode."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(printable_json(text.decode()) + "\n")
    sys.stdout.flush()


def refuse(sentence: str) -> NoReturn:
    """The answer is no: the sentence on standard error, exit code 1."""
    complain(printable(sentence))
    raise typer.Exit(NO)


def misused(sentence: str) -> NoReturn:
    """The command was used wrongly: the sentence on standard error, exit code 2."""
    complain(printable(sentence))
    raise typer.Exit(WRONG_USE)


def printable(text: str) -> str:
    r"""Text from outside, fit for a terminal: control and hidden characters become `\uXXXX`.

    Line breaks and tabs stay, because answers of tools have them.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(ord(c)) for c in text)


_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def printable_json(text: str) -> str:
    """JSON text that means the same, without what a terminal would act on or not show.

    JSON escapes control characters only up to U+001F; some terminals take U+009B for an escape.
    """
    return text if text.isascii() and "\x7f" not in text else _UNSEEN.sub(_in_json, text)


def _in_json(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def counted(number: int, what: str) -> str:
    """`no keys`, `1 key`, `2 keys`."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def columns(rows: Sequence[Sequence[str | Text]], *, indent: int = 0) -> Text:
    """Rows under each other, made fit for a terminal. The last cell of each may be long."""
    cells = [[_cell(each) for each in row] for row in rows]
    most = max((len(row) for row in cells), default=0)
    widths = [
        max((r[at].cell_len for r in cells if at < len(r) - 1), default=0) for at in range(most)
    ]
    lines = []
    for row in cells:
        line = Text(" " * indent)
        for at, cell in enumerate(row[:-1]):
            line.append_text(cell).append(" " * (widths[at] - cell.cell_len + 2))
        line.append_text(row[-1])
        line.rstrip()
        lines.append(line)
    return Text("\n").join(lines)


def _cell(value: str | Text) -> Text:
    return value if isinstance(value, Text) else Text(printable(value))
