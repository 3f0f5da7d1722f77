"""Patterns over names: `*` and `?` within one segment, `**` over any depth of folders."""

import re
import unicodedata

from torhaus.model.access import Glob

MAX_LENGTH = 256
MAX_STARS = 16

_STARS = re.compile(r"(\*+)")
_ELSEWHERE = frozenset("[]{}\\!")


def compile_glob(text: str) -> Glob:
    """Raises ValueError: a sentence that says what is wrong and what to write instead.

    Every part between two stars is looked for once, at its first place, in an atomic group: with
    ordinary groups `*a*a*a…` takes longer than the age of the universe (identity research B.6).
    """
    _check(text)
    first, *rest = text.split("**")
    if not rest:
        return Glob(text, _compiled(_anchored(first)))
    *middle, last = rest
    inner = "".join(f"(?>.*?{_part(part)})" for part in middle if part)
    return Glob(text, _compiled(f"{_part(first)}{inner}.*{_anchored(last)}"))


def with_case(glob: Glob) -> Glob:
    """The same for names of which the case is a part, such as those of files."""
    return Glob(glob.text, re.compile(glob.pattern.pattern, re.DOTALL))


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _part(glob: str) -> str:
    """A part that ends before any depth of folders: its shortest match leaves the most."""
    head, *pieces = glob.split("*")
    return _literal(head) + "".join(f"(?>[^/]*?{_literal(piece)})" for piece in pieces)


def _anchored(glob: str) -> str:
    """A part that ends where the name does."""
    head, star, tail = glob.rpartition("*")
    return f"{_part(head)}[^/]*{_literal(tail)}" if star else _literal(tail)


def _literal(piece: str) -> str:
    return "".join("[^/]" if char == "?" else re.escape(char) for char in piece)


def _check(text: str) -> None:
    if not text or text != text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} is not a pattern: write a name, such as myorg/*")
    if not unicodedata.is_normalized("NFKC", text):
        raise ValueError(f"{text!r} holds characters that look like others: write the plain ones")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the pattern {text[:40]!r}… is longer than {MAX_LENGTH} characters")
    if text.count("*") > MAX_STARS:
        raise ValueError(f"{text!r} has more than {MAX_STARS} stars: name things more closely")
    foreign = next((char for char in text if char in _ELSEWHERE), None)
    if foreign is not None:
        raise ValueError(f"{foreign!r} in {text!r} means nothing here: patterns know * and ? only")
    longest = max((len(stars) for stars in _STARS.findall(text)), default=0)
    if longest > 2:
        raise ValueError(f"{text!r} has {longest} stars in a row: * is one name, ** any folders")
    if longest == 2 and not text.startswith("/") and text != "**":
        raise ValueError(f"** in {text!r} is for paths, which begin with /: write * for one name")
