"""The usual spellings of a secret: as it is, in base64, URLs, HTML, hexadecimal, with escapes."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from html import escape
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""Shorter secrets are not looked for: they would be found inside of ordinary words."""

WORD = 16
"""So are words of letters alone that are shorter than this."""

LONGEST = 4096
"""Of a longer one, so many octets are looked for."""


def sought(secret: str) -> bool:
    """Whether a secret can be told from ordinary text."""
    bare = secret.strip()
    return len(bare) >= (WORD if bare.isalpha() else SHORTEST) and len(set(bare)) > 2


def spellings(secret: str) -> frozenset[str]:
    """Every usual spelling of it that is long enough to be told from ordinary text."""
    bare = secret.strip()[:LONGEST]
    return frozenset(each for each in _spelled(bare) if len(each) >= SHORTEST)


def frequent_spellings(secret: str) -> frozenset[str]:
    """As it is, in URLs and in base64: what memory is for when there are thousands of secrets."""
    bare = secret.strip()[:LONGEST]
    found = (bare, bare.lower(), quote(bare, safe=""), *_in_base64(bare.encode("utf-8", "replace")))
    return frozenset(each for each in found if len(each) >= SHORTEST)


def spellings_of_key(key: bytes) -> frozenset[str]:
    """The same of a key of random octets, which nobody writes as text."""
    return frozenset((*_in_base64(key), key.hex(), key.hex().upper(), *_escaped(key)))


def _spelled(bare: str) -> Iterator[str]:
    raw = bare.encode("utf-8", "replace")
    yield from (bare, bare.lower(), bare.upper())
    for once in (quote(bare), quote(bare, safe=""), quote_plus(bare), _percent(raw)):
        yield from (once, _small(once), quote(once, safe=""))
    yield from (json.dumps(bare)[1:-1], json.dumps(bare, ensure_ascii=False)[1:-1])
    page = escape(bare, quote=False)  # pages of errors, in whose quotes nobody agrees
    yield from (page, escape(bare), page.replace('"', "&#34;").replace("'", "&#39;"))
    yield from (raw.hex(), raw.hex().upper())
    yield from _escaped(raw)
    yield from _in_base64(raw)


def _percent(raw: bytes) -> str:
    return "".join(f"%{each:02X}" for each in raw)


def _small(quoted: str) -> str:
    """`%2F` as `%2f`: both are written."""
    parts = quoted.split("%")
    return "%".join((parts[0], *(each[:2].lower() + each[2:] for each in parts[1:])))


def _escaped(raw: bytes) -> Iterator[str]:
    r"""`\x41\x42`, as programs print octets; in JSON the backslash is written twice."""
    for mark in ("\\x", "\\\\x"):
        yield "".join(f"{mark}{each:02x}" for each in raw)


def _in_base64(raw: bytes) -> Iterator[str]:
    """What stays the same of it wherever it stands in a text that is encoded as a whole."""
    for shift in range(3):
        text = b"\0" * shift + raw
        first, last = (0, 2, 3)[shift], len(text) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(text).decode()[first:last]
