"""Masks inside JSON text without breaking it: only the tokens that change are written anew."""

import json
import re
from codecs import unicode_escape_decode
from collections.abc import Iterator, Mapping

import msgspec

from torhaus.redact.detector import reading
from torhaus.redact.text import NOTHING, Detectors, UncheckableError, found
from torhaus.redact.walk import BLOBS, MAX_LEVELS, Walk, is_json, kind_of, meant

MAX_BYTES = 16 * 1024 * 1024
"""Longer results are not checked, and so not passed on."""


class Redacted(msgspec.Struct, frozen=True):
    """`text`: JSON text; the very same object where nothing was masked. `counts`: by kind."""

    text: bytes
    counts: Mapping[str, int]


def redact_json(text: bytes, among: Detectors) -> Redacted:
    """Any JSON text with what detectors find masked in its strings, keys and numbers.

    Strings are read as they are meant, whatever their escapes; JSON and base64 in them is looked
    into. Types, order, numbers' spelling and white space stay. A string becomes another string,
    a number under a telling name 0. Raises UncheckableError for what cannot be checked: too
    long, too deep, not UTF-8, not JSON.
    """
    if len(text) > MAX_BYTES:
        raise UncheckableError(f"it is longer than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        whole = text.decode()
        flats = list(_flattened(whole))
        if not _suspicious(flats, among):
            return Redacted(text, NOTHING)
        _read(whole)
        walk = Walk(among, _alive(flats, among))
        masked = walk.document(whole)
    except ValueError as error:
        raise UncheckableError("it is not JSON in UTF-8") from error
    except RecursionError as error:
        raise UncheckableError("it is nested too deeply") from error
    if not walk.counts:
        return Redacted(text, NOTHING)
    try:
        return Redacted(masked.encode(), walk.counts)
    except UnicodeEncodeError as error:
        raise UncheckableError("it holds half a character") from error


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_read = json.JSONDecoder(strict=False, parse_constant=_no_number).decode

# -- is there anything to look for? ------------------------------------------------------------

_BLOB = re.compile(
    r'"(?:blob|data|content)"[ \t\r\n]*:[ \t\r\n]*"[A-Za-z0-9+/_\r\n-]{8,}+={0,2}\s*+"'
)
_LABEL = re.compile(r'"(?:name|key|variable)"[ \t\r\n]*:[ \t\r\n]*"([^"\\]{3,80})"', re.IGNORECASE)
_SPACED = re.compile(r'"[ \t\r\n]+:')
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}

# A string that may be JSON itself; no key. Its quote opens it: none is escaped outside of strings.
_NESTED = re.compile(
    r'"(?<!\\")(?:[ \t]|\\[nrt]|\\u00(?:20|0[9aAdD]))*+(?:[{\[]|\\"|\\u00(?:7[bB]|5[bB]|22))'
    r'(?:[^"\\]++|\\.)*+"(?![ \t\r\n]*+:)',
    re.DOTALL,
)
_BEGINNINGS = ('"{', '"[', '"\\', '" ', '"\t')


def _suspicious(flats: list[str], among: Detectors) -> bool:
    """Whether a closer look may find something."""
    return any(found(flat, among.rows) or _named(flat, among) for flat in flats)


def _alive(flats: list[str], among: Detectors) -> Detectors:
    """Those detectors that can find anything in parts of these texts; most can not."""
    texts = [reading(flat) for flat in flats]
    rows = tuple(row for row in among.rows if any(row.gate(text) for text in texts))
    return Detectors(rows, among.personal, among.numbers, among.names)


def _flattened(whole: str, level: int = 0) -> Iterator[str]:
    """The text as its strings mean it, each between its quotes, and the JSON in its strings so."""
    if level > MAX_LEVELS:
        raise UncheckableError("it holds JSON in strings too many times over")
    pieces: list[str] = []
    at = 0
    if any(beginning in whole for beginning in _BEGINNINGS):
        for token in _NESTED.finditer(whole):
            inner = meant(token[0])
            if is_json(inner):
                pieces += whole[at : token.start()], '""'
                at = token.end()
                yield from _flattened(inner, level + 1)
    yield _unescaped("".join((*pieces, whole[at:])) if pieces else whole)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    if "\\/" not in text:
        # Python's own escapes contain those of JSON, but for this one: one pass in C.
        try:
            return unicode_escape_decode(text.encode("latin-1", "backslashreplace"))[0]
        except UnicodeDecodeError:
            pass  # `\u` without its digits
    return _ESCAPE.sub(_resolved, text)


def _resolved(escape: re.Match[str]) -> str:
    code = escape[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPED.get(code, code)


def _named(flat: str, among: Detectors) -> bool:
    """Whether some key says that its value may be secret, or that it is base64."""
    if '" :' in flat or '"\t:' in flat or '"\n:' in flat or '"\r' in flat:
        flat = _SPACED.sub('":', flat)
    names = {part.rpartition('"')[2] for part in flat.split('":')}
    if any(kind_of(name, among) is not None for name in names):
        return True
    if "value" in names or "Value" in names:
        labels = {label[1] for label in _LABEL.finditer(flat)}
        if any(kind_of(label, among) is not None for label in labels):
            return True
    return not names.isdisjoint(BLOBS) and _BLOB.search(flat) is not None
