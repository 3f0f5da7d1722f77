"""The configuration as read: values that know their line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice

from torhaus.config.problems import ConfigError, Problem

Scalar = str | int | float | bool | None
Part = str | int
Path = tuple[Part, ...]


@dataclass(slots=True)
class Node:
    """A scalar, list or block. `line` counts from 1; `key_lines` are those of a block's keys.

    `outside`: the text came from the environment or a file, so no message may show it.
    `broken`: reading it failed and was reported; what follows from that is not reported again.
    """

    line: int
    value: "Scalar | list[Node] | dict[str, Node]"
    key_lines: dict[str, int] = field(default_factory=dict)
    outside: bool = False
    broken: bool = False

    def child(self, part: Part) -> "Node | None":
        match self.value:
            case dict() if isinstance(part, str):
                return self.value.get(part)
            case list() if isinstance(part, int) and 0 <= part < len(self.value):
                return self.value[part]
            case _:
                pass
        return None

    def plain(self) -> object:
        """The same as dicts, lists and scalars."""
        match self.value:
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
            case list():
                return [node.plain() for node in self.value]
            case scalar:
                return scalar

    def walk(self, path: Path = ()) -> "Iterator[tuple[Path, Node]]":
        """Every node below and including this one, with its path, in the file's order."""
        waiting = [(path, self)]
        while waiting:
            path, node = waiting.pop()
            yield path, node
            below: list[tuple[Path, Node]] = []
            if isinstance(node.value, dict):
                below = [((*path, key), each) for key, each in node.value.items()]
            elif isinstance(node.value, list):
                below = [((*path, index), each) for index, each in enumerate(node.value)]
            waiting += reversed(below)


MANY = 500
"""Mistakes after which a file is read no further, and warnings after which none is added."""

# What a word is compared with to find the one that was meant; ten each 0.1 ms.
_COMPARED = 1000


@dataclass(slots=True)
class Source:
    """One file's text and tree, and the problems found in it so far."""

    name: str
    text: str
    root: Node
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, path: Path, message: str, fix: str) -> None:
        """Raises ConfigError when there are more mistakes than anybody reads."""
        self.problems.append(self._problem(path, message, fix))
        if len(self.problems) >= MANY:
            self.refuse()

    def warn(self, path: Path, message: str, fix: str) -> None:
        if len(self.warnings) < MANY:
            self.warnings.append(self._problem(path, message, fix))
        elif len(self.warnings) == MANY:
            message = f"there are more warnings than the first {MANY}"
            self.warnings.append(self._problem((), message, "correct these first"))

    def refuse(self) -> None:
        """Raise ConfigError if anything was wrong."""
        if self.problems:
            raise ConfigError(sorted(self.problems, key=lambda p: p.line or 0))

    def nodes(self, path: Path) -> list[Node]:
        """The nodes from the root down to `path`, as far as they exist."""
        found = [self.root]
        for part in path:
            below = found[-1].child(part)
            if below is None:
                break
            found.append(below)
        return found

    def line(self, path: Path) -> int:
        """The line of a path: of its key where it has one; of the block it is missing from."""
        found = self.nodes(path)
        if len(found) == 1:
            return self.root.line
        return found[-2].key_lines.get(str(path[len(found) - 2]), found[-1].line)

    def _problem(self, path: Path, message: str, fix: str) -> Problem:
        line = self.line(path)
        return Problem(file=self.name, line=line, path=spelled(path), message=message, fix=fix)


def spelled(path: Path) -> str:
    """A path as people write it: `users[0].email`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return printable(out)


def printable(text: str) -> str:
    """Text from the file, fit for a terminal: no control characters, not endless."""
    return "".join(c if c.isprintable() else "?" for c in text[:200])


def meant(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant."""
    return nearest(word, known, 0.6)


def nearest(word: str, known: Sequence[str], cutoff: float) -> str | None:
    """The known word that is most like this one, if it is as like as `cutoff` (0 to 1)."""
    sought = word[:100].casefold()
    # Words of other lengths cannot be alike enough.
    by_fold = {
        each.casefold(): each
        for each in islice(
            (k for k in known if abs(len(k) - len(sought)) <= len(sought)), _COMPARED
        )
    }
    close = get_close_matches(sought, list(by_fold), n=1, cutoff=cutoff)
    return by_fold[close[0]] if close else None
