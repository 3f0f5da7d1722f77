"""`when:`: a CEL expression over one call, compiled when the rules are read."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from torhaus.policy.names import folded, shown

if TYPE_CHECKING:
    import cel

MAX_LENGTH = 1000
MAX_VALUES = 2000
"""How many values a call's arguments may have where a condition reads them."""

FACTS = {
    "user": "",
    "roles": [""],
    "groups": [""],
    "server": "",
    "environment": "",
    "tool": "",
    "actions": [""],
    "types": [""],
    "targets": [""],
    "tags": [""],
    "args": {},
    "ip": "",
    "client": "",
    "now": 0.0,
    "hour": 0,
    "weekday": "",
}
"""What a condition may ask about, and of which shape it is."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OF_NOW = frozenset({"now", "hour", "weekday"})

FUNCTIONS = frozenset(
    [
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "size",
        "int",
        "uint",
        "double",
        "string",
        "bool",
        "timestamp",
        "duration",
        "type",
        "has",
        "all",
        "exists",
        "exists_one",
    ]
)
# Operators, and what `all` and `exists` become.
_OPERATORS = re.compile(r"[!-]?_.*_?|@in|@not_strictly_false|_\[_\]|!_|-_")
_LOOPS = ("all", "exists", "exists_one")
# `map` and `filter` copy their list at every step, and loops in loops multiply: one expression of
# 22 characters over 300 values took eight minutes.
_COPIES = ("map", "filter")
# `args.force`, `args["force"]`, `"force" in args`
_ARGUMENT = re.compile(r"""\bargs\s*\.\s*([A-Za-z_]\w*)|["']([^"'\\]+)["']""")
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))"""
    r"|(?P<call>\.\s*(?P<name>[A-Za-z_]\w*)\s*\(\s*(?P<bound>[A-Za-z_]\w*)?)"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comment>//)",
    re.DOTALL,
)


class Compiled:
    """A condition. Its time is bounded: no loops in loops, no pattern from a call's arguments.

    `now` is compared with `timestamp("...")`; `hour` (0 to 23) and `weekday` (`monday`) are those
    of the zone it was compiled for.
    """

    __slots__ = ("_arguments", "_folded", "_names", "_program", "_zone", "text")

    def __init__(
        self, text: str, program: "cel.Program", names: tuple[str, ...], zone: tzinfo
    ) -> None:
        self.text = text
        self._program = program
        self._names = names
        self._zone = zone
        # By what a reader may take for them; a word too many here does no harm.
        found = {name or quoted for name, quoted in _ARGUMENT.findall(text)}
        self._arguments = found if "args" in names else set()
        self._folded = frozenset(map(folded, self._arguments))

    def __repr__(self) -> str:
        return f"Compiled({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Compiled) and (self.text, self._zone) == (other.text, other._zone)

    def __hash__(self) -> int:
        return hash(self.text)

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it is true of a call. Raises ValueError when it cannot be told."""
        try:
            answer = self._program.execute({name: self._fact(name, facts) for name in self._names})
        except Exception as error:
            raise ValueError(_short(error)) from error
        if not isinstance(answer, bool):
            raise ValueError("it is neither true nor false")  # noqa: TRY004 - of the right type, in CEL's words
        return answer

    def _fact(self, name: str, facts: Mapping[str, Any]) -> Any:
        if name in _OF_NOW:
            return _of_now(name, facts["now"], self._zone)
        value = facts[name]
        if name == "args" and _many(value):
            raise ValueError(f"the arguments hold more than {MAX_VALUES} values")
        if name == "args":
            self._check_spelling(value)
        return value

    def _check_spelling(self, arguments: Mapping[str, Any]) -> None:
        """`Force` is not `force`, and may be to the server: `has(args.force)` cannot be told."""
        for name in arguments:
            if name not in self._arguments and folded(name) in self._folded:
                raise ValueError(f"{shown(name)} is another spelling of an argument it asks for")


def compile_condition(text: str, zone: tzinfo = UTC) -> Compiled:
    """Raises ValueError: a sentence that says what is wrong and what to write instead."""
    if not text.strip() or len(text) > MAX_LENGTH:
        raise ValueError(f"a condition has 1 to {MAX_LENGTH} characters")
    import cel  # noqa: PLC0415 -- it loads a terminal library: who has no conditions need not wait

    bound = _scan(text)
    try:
        program = cel.compile(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not CEL: {_short(error)}") from error
    used = program.references()
    names = [name for name in used["variables"] if name not in bound]
    for name in names:
        if name not in FACTS and name not in FUNCTIONS:
            raise ValueError(_unknown(text, name, "a call has", FACTS))
    for name in used["functions"]:
        if name not in FUNCTIONS and _OPERATORS.fullmatch(name) is None:
            raise ValueError(_unknown(text, name, "there are", FUNCTIONS))
    compiled = Compiled(text, program, tuple(n for n in names if n in FACTS), zone)
    _try(compiled)
    return compiled


def _try(compiled: Compiled) -> None:
    """A condition that is no question at all is found out when it is read."""
    try:
        compiled.holds(FACTS)
    except ValueError as error:
        if "not a valid regex" in str(error):
            raise ValueError(f"{compiled.text!r} cannot work: {error}") from error
        if str(error) == "it is neither true nor false":
            raise ValueError(
                f"{compiled.text!r} is neither true nor false: compare something, as in "
                f'tool == "push_files"'
            ) from error


def _scan(text: str) -> frozenset[str]:
    """The names that loops bind. Raises ValueError for what could run too long."""
    depth, looping, bound = 0, 0, set()
    for token in _TOKEN.finditer(text):
        depth += bool(token["open"] or token["call"]) - bool(token["close"])
        if token["close"] and depth < looping:
            looping = 0
        if token["comment"]:
            raise ValueError("a condition has no // comments: say it in the rule's description")
        if token["call"] is None:
            continue
        _check_call(token["name"], text[token.start() :], looping=bool(looping))
        if token["name"] in _LOOPS:
            looping = depth
            bound.add(token["bound"] or "")
    return frozenset(bound)


def _check_call(name: str, rest: str, *, looping: bool) -> None:
    if name in _COPIES:
        raise ValueError(f".{name}() is not for conditions: use .exists() or .all()")
    if name in _LOOPS and looping:
        raise ValueError(f".{name}() stands inside another loop, which takes too long")
    if name == "matches" and not _LITERAL.match(rest):
        raise ValueError(".matches() takes a pattern in quotes, not one from the call")


_LITERAL = re.compile(r"""\.\s*matches\s*\(\s*[rR]?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\s*\)""")


def _unknown(text: str, name: str, what: str, known: Mapping[str, Any] | frozenset[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    hint = f"did you mean {close[0]}?" if close else f"{what} {', '.join(sorted(known))}"
    return f"{name!r} in {text!r} is not known: {hint}"


def _of_now(name: str, now: float, zone: tzinfo) -> Any:
    local = datetime.fromtimestamp(now, zone)
    if name == "hour":
        return local.hour
    return WEEKDAYS[local.weekday()] if name == "weekday" else local.astimezone(UTC)


def _many(value: object) -> bool:
    stack = [value]
    for item in stack:
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        if len(stack) > MAX_VALUES:
            return True
    return False


def _short(error: Exception) -> str:
    line = " ".join(str(error).split())
    return line if len(line) <= 200 else line[:199] + "…"
