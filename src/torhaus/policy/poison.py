"""What a server says of its tools, without what is meant for models alone."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from torhaus.policy.hidden import hidden, hides, spelt, stripped

MAX_TEXT = 4096
"""Longest description, title or other text in a definition, in characters."""
MAX_DEFINITION = 256 * 1024
"""Longest definition as JSON text, in bytes."""
MAX_DEPTH = 64
MAX_FINDINGS = 32
CUT = "… [cut by Torhaus]"

NAMES = frozenset(("name",))
# Strings that mean something to programs: they pass as they are, or their tool does not.
_EXACT = frozenset(
    (
        "const",
        "enum",
        "pattern",
        "type",
        "format",
        "required",
        "dependentRequired",
        "mimeType",
        "contentEncoding",
        "contentMediaType",
        "x-mcp-header",
        "src",
    )
)
# Under these the keys are names of somebody's choice.
_NAMING = frozenset(("properties", "patternProperties", "$defs", "definitions"))
# A shortened value would be another value.
_VALUES = frozenset(("default", "examples"))

_FILES = ("~/.ssh", "id_rsa", ".env", "/etc/passwd", ".aws/credentials", "mcp.json")
# Words of which a text holds one in lower case wherever it holds the phrase: to look for these
# first takes a hundredth of the time, and thousands of definitions are read while others wait.
_PHRASES = tuple(
    (words, re.compile(text, re.IGNORECASE))
    for words, text in (
        (
            ("previous", "prior", "above", "earlier"),
            r"(?:ignore|disregard|forget|override)\s+(?:\w+\s+){0,3}(?:previous|prior|above|earlier)"
            r"\s+(?:\w+\s+)?(?:instruction|prompt|rule|message|context)",
        ),
        (("<",), r"</?\s*(?:important|system|secret|instructions?|hidden)\s*>"),
        (
            ("user", "human", "operator"),
            r"(?:do not|don't|never|without)\s+"
            r"(?:tell|mention|inform|show|telling|informing|notify)\w*\s+(?:\w+\s+){0,3}(?:user|human|operator)",
        ),
        (
            ("must", "should"),
            r"(?:must|should)\s+(?:always\s+)?(?:first\s+)?(?:call|use|invoke)\s+this\s+tool\s+before",
        ),
        (
            ("before", "instead of"),
            r"(?:before|instead of)\s+(?:using|calling)\s+(?:any|every|all)\s+other\s+tools?",
        ),
        (
            _FILES,
            r"(?:read|include|send|attach|pass)\s+(?:\S+\s+){0,5}"
            r"(?:~/\.ssh|id_rsa|\.env\b|/etc/passwd|\.aws/credentials|mcp\.json)",
        ),
        (
            ("system prompt", "conversation history", "chat history"),
            r"(?:system prompt|conversation history|chat history)",
        ),
    )
)
_BLANK = re.compile(r"[ \t\u00a0\u2000-\u200a\u2800\u3000]{200}")
_LINES = re.compile(r"(?:[ \t]*\r?\n){30}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_SECRET = re.compile(r"auth|cookie|token|secret|passw|credential|api[-_]?key", re.IGNORECASE)

Path = tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """Something an administrator should look at.

    `where`: a path into the definition, such as `inputSchema.properties.repo.description`.
    `code`: `hidden`, `oversized`, `blank`, `phrase` or `header`. `text`: a sentence.
    """

    where: str
    code: str
    text: str


class PoisonError(ValueError):
    """A definition that cannot be cleaned without changing what it means. A sentence."""


def cleaned(definition: Mapping[str, Any], names: frozenset[str] = NAMES) -> dict[str, Any]:
    """A definition (of a tool, prompt or resource) as clients may have it.

    Texts lose what cannot be seen, and what is beyond MAX_TEXT. `names`: the keys that hold what
    the server knows it by. Raises PoisonError where hidden characters stand in a name or a value
    that programs compare: those cannot lose them.
    """
    texts, deep = _texts(definition)
    if not deep and max(map(len, texts)) <= MAX_TEXT and not hides(" ".join(texts)):
        return dict(definition)
    return {
        name: _clean(each, (_key(name, ()),), _EXACT | names) for name, each in definition.items()
    }


def _texts(definition: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Every string in it, names included, and whether it is nested too deep.

    Most definitions have nothing to clean and nothing to find: their strings are asked all at once.
    """
    texts, level = [""], [definition]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, str):
                texts.append(value)
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, Mapping):
                texts += value
                inner += value.values()
        if not inner:
            return texts, False
        level = inner
    return texts, True


def _clean(value: Any, path: Path, exact: frozenset[str]) -> Any:
    if len(path) > MAX_DEPTH:
        raise PoisonError(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        return _text(value, path, exact)
    if isinstance(value, list):
        return [_clean(each, (*path, str(at)), exact) for at, each in enumerate(value)]
    if isinstance(value, Mapping):
        return {
            name: _clean(each, (*path, _key(name, path)), exact) for name, each in value.items()
        }
    return value


def _key(name: str, path: Path) -> str:
    if hides(name):
        raise PoisonError(f"{_at(path)} holds a name with hidden characters")
    return name


def _text(value: str, path: Path, exact: frozenset[str]) -> str:
    if _is_exact(path, exact):
        if hides(value):
            raise PoisonError(f"{_at(path)} has hidden characters")
        return value
    clean = stripped(value)
    if len(clean) <= MAX_TEXT or path[0] == "_meta" or not _VALUES.isdisjoint(path):
        return clean
    return stripped(clean[: MAX_TEXT - len(CUT)]) + CUT


def _is_exact(path: Path, exact: frozenset[str]) -> bool:
    """Whether a string stands under a key that makes it exact, and that is no property's name."""
    if path[-1].startswith("$"):
        return True
    return any(
        key in exact and (at == 0 or path[at - 1] not in _NAMING) for at, key in enumerate(path)
    )


def scan(definition: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What in a definition looks like an attack on whoever reads it. Nothing is blocked by it."""
    found: list[Finding] = []
    texts, deep = _texts(definition)
    if not deep and max(map(len, texts)) <= MAX_TEXT and not _suspicious(" ".join(texts)):
        return tuple(_headers(definition.get("inputSchema")))
    for path, text in _strings(definition, ()):
        found += _findings(path, text)
        if len(found) >= MAX_FINDINGS:
            return tuple(found[:MAX_FINDINGS])
    return tuple(found + _headers(definition.get("inputSchema")))


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if len(path) > MAX_DEPTH:
        return
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _strings(each, (*path, str(at)))
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield (*path, name), name
            yield from _strings(each, (*path, name))


def _suspicious(text: str) -> bool:
    if hides(text) or _blank(text):
        return True
    return next(_phrases(text), None) is not None


def _blank(text: str) -> bool:
    if _BLANK.search(text) is not None:
        return True
    return text.count("\n") >= 30 and _LINES.search(text) is not None


def _phrases(text: str) -> Iterator[str]:
    """What of known attacks it says."""
    # To patterns that ignore case, a long s (U+017F) is an s: beyond ASCII they are all asked.
    plain = text.lower() if text.isascii() else None
    for words, phrase in _PHRASES:
        if plain is None or any(word in plain for word in words):
            match = phrase.search(text)
            if match is not None:
                yield match[0]


def _findings(path: Path, text: str) -> list[Finding]:
    where, found = _at(path), []
    unseen = hidden(text)
    if unseen:
        codes = ", ".join(dict.fromkeys(f"U+{ord(each):04X}" for each in unseen[:64]))
        secret = spelt(text)
        says = f", which spell {secret[:200]!r}" if secret else ""
        found.append(Finding(where, "hidden", f"{len(unseen)} hidden characters ({codes}){says}"))
    if len(text) > MAX_TEXT:
        found.append(
            Finding(where, "oversized", f"{len(text)} characters, where {MAX_TEXT} may be")
        )
    if _blank(text):
        found.append(Finding(where, "blank", "a long blank stretch hides what follows it"))
    plain = stripped(text[: 16 * MAX_TEXT])
    said = (Finding(where, "phrase", f"it says {phrase[:120]!r}") for phrase in _phrases(plain))
    return [*found, *said]


def _headers(schema: Any) -> list[Finding]:
    """`x-mcp-header` sends an argument where everything on the way can read it (SEP-2243)."""
    seen: set[str] = set()
    found = []
    for path, value in _marked(schema, ("inputSchema",)):
        where = _at(path)
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            found.append(Finding(where, "header", "x-mcp-header is not the name of a header"))
        elif value.lower() in seen:
            found.append(Finding(where, "header", f"two arguments share the header {value}"))
        elif _SECRET.search(f"{value} {path[-2]}"):
            found.append(Finding(where, "header", f"a secret would stand in the header {value}"))
        seen.add(str(value).lower())
    return found[:MAX_FINDINGS]


def _marked(schema: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if len(path) > MAX_DEPTH or not isinstance(schema, Mapping | list):
        return
    pairs = schema.items() if isinstance(schema, Mapping) else enumerate(schema)
    for name, each in pairs:
        if name == "x-mcp-header" and path[-1] != "properties":
            yield (*path, name), each
        else:
            yield from _marked(each, (*path, str(name)))


def _at(path: Path) -> str:
    return stripped(".".join(path))[:200] or "it"
