"""Secrets in running text that stand after a telling name: `DB_PASSWORD=...`, `"token": "..."`."""

import re

from torhaus.redact.detector import Detector, Level, Span, Text, always
from torhaus.redact.mask import MASK
from torhaus.redact.naming import public, telling

MAX_BEFORE = 40
_NEEDLES = ("passw", "passphrase", "pwd", "secret", "token", "key", "credential")
_NAME_BACK = re.compile(r"[\w-]{0,40}")
_TAIL = re.compile(r"([\w-]{0,40})(\\{0,3}[\"'`]?)([ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4})")
_OPTION = re.compile(r"([\w-]{0,40})()([ \t]{1,4})(?!-)")
_WORD = re.compile(r"-(?:api)?\Z", re.IGNORECASE)
_VALUE = re.compile(
    r"\\{0,3}\"([^\"\\\r\n]{1,512})|\\{0,3}'([^'\\\r\n]{1,512})"
    r"|([^\s\"'`\\,;&<>(){}\[\]]{3,512})(\(?)"
)
_IDENTIFIERS = re.compile(r"[A-Za-z_][\w.-]*")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PLACEHOLDER = re.compile(
    r"[$<{%*#@]|(?:os|env|process|config|settings|self|this|ctx|req|request|args|vars|secrets|data)\."
    r"|\.{2,}|(.)\1*$"
)
_EMPTY = frozenset(
    [
        "none",
        "null",
        "nil",
        "undefined",
        "true",
        "false",
        "str",
        "string",
        "int",
        "integer",
        "number",
        "bool",
        "boolean",
        "bytes",
        "text",
        "any",
        "object",
        "required",
        "optional",
        "password",
        "passwd",
        "secret",
        "token",
        "apikey",
        "value",
        "example",
        "changeme",
        "redacted",
        "hidden",
        "removed",
    ]
)


def _assigned(text: Text) -> list[Span]:
    spans: list[Span] = []
    for needle in _NEEDLES:
        at = text.low.find(needle)
        while at >= 0:
            at = _at(text.text, at, at + len(needle), spans)
            at = text.low.find(needle, at)
    return spans


def _at(text: str, at: int, after: int, spans: list[Span]) -> int:
    """Judge what is assigned to the name around `text[at:after]`. Returns where to go on."""
    tail = _TAIL.match(text, after) or _OPTION.match(text, after)
    if tail is None:
        return after
    before = _NAME_BACK.match(text[max(0, at - MAX_BEFORE) : at][::-1])
    start = at - (0 if before is None else len(before[0]))
    if tail.re is _OPTION and not (text.startswith("--", start) and _WORD.search(text, start, at)):
        return tail.end(1)
    name = text[start : tail.end(1)]
    kind = telling(name)
    value = None if kind not in ("password", "secret") else _VALUE.match(text, tail.end())
    if kind is None or value is None:
        return tail.end()
    group = next(each for each in (1, 2, 3) if value[each] is not None)
    bare = MASK.sub("", value[group])
    named = name.isupper() or (start > 0 and text[start - 1] in "?&;")
    sure = named and "=" in tail[3] and bare == value[group]
    sure = sure or (
        kind == "password" and group == 3 and _own_line(text, start, tail[3], value.end())
    )
    if not value[4] and _secretive(kind, bare, quoted=group != 3, sure=sure):
        number = tail[2] == '"' and group == 3 and _NUMBER.fullmatch(bare) is not None
        spans.append(Span(*value.span(group), kind, number))
    return value.end()


def _own_line(text: str, start: int, separator: str, end: int) -> bool:
    """Whether name and value are a line of YAML, and nothing else is in it."""
    near = max(0, start - MAX_BEFORE)
    before = text[max(near, text.rfind("\n", near, start) + 1) : start]
    after = text[end : end + 1]
    return separator.strip() == ":" and not before.strip(" -") and after in ("", "\n", "\r")


def _secretive(kind: str, value: str, *, quoted: bool, sure: bool) -> bool:
    """Whether a value is one, rather than a word about it, a type, or a place to take it from."""
    bare = value.strip(".,!?:")
    if len(bare) < 3 or bare.lower() in _EMPTY or _PLACEHOLDER.match(bare):
        return False
    digits = any(each.isdigit() for each in bare)
    if kind == "password":
        if quoted:
            return " " not in bare or (digits and len(bare) < 64)
        return digits or sure or _IDENTIFIERS.fullmatch(bare) is None
    if public(bare):
        return False
    letters = any(each.isalpha() for each in bare)
    if quoted:
        return len(bare) >= 8 and " " not in bare and digits
    return len(bare) >= 8 and (sure or (len(bare) >= 12 and digits and letters))


ASSIGNED = Detector(frozenset({"password", "secret"}), Level.SECRETS, always, _assigned)
