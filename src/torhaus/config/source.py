"""Strict YAML 1.2: the core schema, no duplicate keys, aliases or tags, bounded.

Works on the parser's events rather than a loader's objects: resolving scalars here keeps exactly
the core schema (YAML 1.2.2 section 10.3.2: no `yes`, no octal `017`, no dates), and depth is
bounded while reading, because ruamel's scanner needs minutes for 100,000 open brackets.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from ruamel.yaml.reader import ReaderError

from torhaus.config.problems import ConfigError, Problem
from torhaus.config.tree import Node, Path, Scalar, Source, printable, spelled

MAX_CHARS = 2 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 200_000

_HASH_WORD = re.compile(r"(?:[ \t]*:)?[ \t]*(#[A-Za-z0-9_-]+)[ \t]*\r?(?:\n|$)")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"0o[0-7]{1,18}"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]{1,15}"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]{1,30}|[0-9]{1,30}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,3})?"), float),
)


def read(text: str, name: str) -> Source:
    """Read YAML text. Raises ConfigError with every mistake that still lets reading go on."""
    reader = _Reader(name, text.removeprefix("\ufeff"))
    if len(text) > MAX_CHARS:
        reader.stop(None, "the file is larger than 2 MiB", "check that this is the right file")
    try:
        root = reader.document()
    except YAMLError as error:
        reader.syntax(error)
    except (ValueError, IndexError, KeyError, AttributeError, TypeError, AssertionError) as error:
        # The scanner leaks these on some broken input (escapes beyond Unicode, odd directives).
        reader.stop(None, f"this is not YAML ({type(error).__name__})", "check the file's syntax")
    if reader.problems:
        raise ConfigError(reader.problems)
    return Source(name, text, root)


def scalar(text: str) -> Scalar:
    """What an unquoted scalar means under the core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    for pattern, number in _NUMBER:
        if pattern.fullmatch(text):
            return number(text)
    return text


@dataclass(slots=True)
class _Open:
    """A list or block whose end has not come yet, and the key that waits for its value.

    `after`: where in the text that key ends.
    """

    node: Node
    path: Path
    key: tuple[str, int] | None = None
    after: int = 0

    def next(self) -> Path:
        """The path of the value that comes next."""
        if self.key is not None:
            return (*self.path, self.key[0])
        return (
            (*self.path, len(self.node.value)) if isinstance(self.node.value, list) else self.path
        )

    def put(self, node: Node) -> None:
        match self.node.value:
            case list() as items:
                items.append(node)
            case dict() as entries if self.key is not None:
                key, line = self.key
                entries[key] = node
                self.node.key_lines[key] = line
                self.key = None


class _Reader:
    """Builds the tree from events. `problems` grows; `stop` gives up at once."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.problems: list[Problem] = []
        self.open: list[_Open] = []

    def document(self) -> Node:
        root = Node(1, None)
        nodes = documents = 0
        for event in YAML(typ="safe", pure=True).parse(self.text):
            line = event.start_mark.line + 1
            nodes += isinstance(event, NodeEvent)
            documents += isinstance(event, DocumentStartEvent)
            if nodes > MAX_NODES or documents > 1:
                self.stop(line, "the file holds too much, or a second document", "keep one")
            if isinstance(event, CollectionEndEvent):
                self.open.pop()
            elif isinstance(event, NodeEvent):
                self._refuse_extras(event, line)
                root = self._node(event, line) or root
        return root

    def _node(self, event: NodeEvent, line: int) -> Node | None:
        """Put one node where it belongs; returns it when it is the root."""
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.node.value, dict) and top.key is None:
            top.key = (self._key(top.node, event, line), line)
            top.after = event.end_mark.index
            return None
        if isinstance(event, ScalarEvent) and event.style is None and event.value == "":
            line = self._empty(event, top, line)
        node = self._made(event, line)
        path = () if top is None else top.next()
        if top is not None:
            top.put(node)
        if isinstance(event, CollectionStartEvent):
            self.open.append(_Open(node, path))
            if len(self.open) > MAX_DEPTH:
                self.stop(line, f"nested more than {MAX_DEPTH} deep", "write it flatter")
        return node if top is None else None

    def _made(self, event: NodeEvent, line: int) -> Node:
        if isinstance(event, CollectionStartEvent):
            return Node(line, {} if isinstance(event, MappingStartEvent) else [])
        if not isinstance(event, ScalarEvent):  # an alias, refused already
            return Node(line, None, broken=True)
        value = scalar(event.value) if event.style is None else event.value
        if isinstance(value, str) and not clean(value):
            self.problem(line, "the text holds a NUL or half a surrogate pair", "remove it")
        return Node(line, value)

    def _empty(self, event: ScalarEvent, top: _Open | None, line: int) -> int:
        """The line an empty value belongs to; reports `slack: #ops-alerts`, a swallowed value.

        The parser's own mark for an empty value comes after comments, lines later.
        """
        start = event.start_mark.index
        if top is not None and top.key is not None:
            line, start = top.key[1], top.after
        if found := _HASH_WORD.match(self.text, start):
            word = found[1]
            self.problem(line, f"{word} is read as a comment", f'put it in quotes: "{word}"')
        return line

    def _key(self, block: Node, event: NodeEvent, line: int) -> str:
        if not isinstance(event, ScalarEvent) or not clean(event.value):
            # Web pages print [email protected] where an address was.
            hidden = isinstance(event, CollectionStartEvent)
            fix = "write the name or address itself, not [...]" if hidden else "write `key: value`"
            self.stop(line, "a key must be plain text", fix)
        key: str = event.value
        if key in block.key_lines:
            first = block.key_lines[key]
            self.problem(line, f"the key is here twice, first on line {first}", "keep one", key)
        if key == "<<" and event.style is None:
            self.problem(line, "merge keys (<<) are not supported", "write the keys out")
        return key

    def _refuse_extras(self, event: NodeEvent, line: int) -> None:
        if isinstance(event, AliasEvent):
            self.problem(line, "YAML aliases (*name) are not supported", "write the value out")
        elif event.anchor is not None:
            self.problem(line, "YAML anchors (&name) are not supported", "remove the anchor")
        if getattr(event, "tag", None) is not None:
            self.problem(line, "YAML tags (!name) are not supported", "remove the tag")

    def problem(self, line: int | None, message: str, fix: str, key: str | None = None) -> None:
        path = self.open[-1].next() if self.open else ()
        where = spelled(path if key is None else (*path, key))
        self.problems.append(
            Problem(file=self.name, line=line, path=where, message=message, fix=fix)
        )

    def stop(self, line: int | None, message: str, fix: str) -> NoReturn:
        self.problem(line, message, fix)
        raise ConfigError(self.problems)

    def syntax(self, error: YAMLError) -> NoReturn:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line = None if mark is None else mark.line + 1
        if isinstance(error, ReaderError):
            line = self.text.count("\n", 0, error.position) + 1
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
        self.stop(line, f"this is not YAML: {printable(str(said))}", self._hint(line))

    def _hint(self, line: int | None) -> str:
        lines = self.text.splitlines()
        shown = lines[line - 1] if line is not None and 0 < line <= len(lines) else ""
        if "${" in shown:
            return 'put values with ${...} in quotes: "${NAME}"'
        if "\t" in shown:
            return "indent with spaces, not with tabs"
        return "check the indentation, quotes and brackets of this line and the one before"


def clean(text: str) -> bool:
    """Whether text can be passed on: no NUL, and it has a UTF-8 form."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
