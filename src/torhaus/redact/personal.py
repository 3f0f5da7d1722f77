"""E-mail addresses, phone numbers, IBANs and credit cards.

Patterns begin with the one character that is rare in ordinary text, or with a digit, and look
back from there: a search then skips from candidate to candidate.
"""

import re

from torhaus.redact.checksums import IBAN_LENGTHS, iban, luhn
from torhaus.redact.detector import Detector, Level, Span, Text

MAX_LOCAL = 128
"""Characters before the `@` that are taken to belong to an address (RFC 5321 allows 64)."""

_DOMAIN = re.compile(r"@((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?![\w@])(?!\.\w)")
_ENCODED = re.compile(r"%40((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?!\w)")
_MARKS = ".!#$&*+=?^`{|}~'-"
_LOCAL = re.compile(r"[\w.!#$&*+=?^`{|}~'-]++")
_FILE = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "ico",
        "css",
        "js",
        "mjs",
        "cjs",
        "json",
        "map",
        "lock",
        "tgz",
        "whl",
        "html",
    ]
)
_VERSION = re.compile(r"v?[0-9]+\.[0-9]+")


def _addressed(text: Text) -> bool:
    return "@" in text.text or "%40" in text.text


def _mail(text: Text) -> list[Span]:
    spans: list[Span] = []
    for pattern in (_DOMAIN, _ENCODED):
        least = 0
        for found in pattern.finditer(text.text):
            start = _local(text.text, found.start(), least)
            least = found.end()
            if start < found.start() and _address(text.text, start, found):
                spans.append(Span(start, found.end(), "email"))
    return spans


def _local(text: str, at: int, least: int) -> int:
    """Where the part before the `@` begins."""
    before = text[max(least, at - MAX_LOCAL) : at][::-1]
    found = _LOCAL.match(before)
    return at if found is None else at - len(found[0].rstrip(_MARKS))


def _address(text: str, start: int, found: re.Match[str]) -> bool:
    domain = found[1]
    if _VERSION.match(domain) or domain.rpartition(".")[2].lower() in _FILE:
        return False  # package@1.2.3-rc.two, icon@2x.png
    return not (
        text[start : found.start()] == "git" and text[found.end() : found.end() + 1] in ":/"
    )


_GAP = r"[ \u00a0\u202f./()\u2011-]{0,3}+"
_ABROAD = re.compile(rf"\+(?<![\w+]\+)[1-9](?:{_GAP}[0-9]){{7,14}}+(?![0-9])")
_NATIONAL = re.compile(
    r"0(?<![\w.,:#/=-]0)(?<![0-9] 0)(?:"
    # 0049 30 123456: with some separator, or it could be any number.
    rf"0[1-9](?=[0-9]{{0,4}}[ /()-])(?:{_GAP}[0-9]){{8,14}}+(?![\w])"
    r"|1(?:5[0-9]|6[0-9]|7[0-9])[0-9]{7,8}(?![\w:-]|\.\w)"
    r"|([1-9][0-9]{1,3}(?:\) ?| ?[/-] ?| )[1-9][0-9]{1,9}(?:[ -][0-9]{2,8}){0,4})"
    r"(?![\w/.:-]?[0-9])(?![\w:]))"
)
_CALLED = re.compile(
    r"(?:tel|phone|telefon|telephone|fon|mobil|mobile|handy|fax|call)\.?:? {0,2}"
    rf"(\(?0[0-9](?:{_GAP}[0-9]){{5,13}}+)(?![0-9])"
)
_CALLS = ("tel", "phon", "fon", "mobil", "handy", "fax", "call")
_MIN_NATIONAL, _MAX_NATIONAL = 8, 12
"""Digits of a German number behind its first 0, where nothing else says that it is one."""


def _digits(text: str) -> int:
    return sum(each.isdigit() for each in text)


def _phone(text: Text) -> list[Span]:
    spans = [Span(*found.span(), "phone") for found in _ABROAD.finditer(text.text)]
    spans += [
        Span(*found.span(), "phone")
        for found in _NATIONAL.finditer(text.text)
        if found[1] is None or _MIN_NATIONAL <= _digits(found[1]) <= _MAX_NATIONAL
    ]
    if any(needle in text.low for needle in _CALLS):
        spans += [Span(*found.span(1), "phone") for found in _CALLED.finditer(text.low)]
    return spans


_IBAN = re.compile(
    r"[0-9](?<=[A-Za-z]{2}[0-9])(?<![A-Za-z0-9][A-Za-z]{2}[0-9])[0-9]"
    r"(?:[A-Za-z0-9]{11,30}(?![A-Za-z0-9])"
    r"|(?:[ \u00a0-][A-Za-z0-9]{4}){2,7}(?:[ \u00a0-][A-Za-z0-9]{1,4})?)"
)
_LETTERS = 2


def _accounts(text: Text) -> list[Span]:
    spans = []
    for found in _IBAN.finditer(text.text):
        start = found.start() - _LETTERS
        end = _iban_end(text.text, start, found.end())
        if end is not None:
            spans.append(Span(start, end, "iban"))
    return spans


def _iban_end(text: str, start: int, end: int) -> int | None:
    """Where the IBAN that begins at `start` ends: its country says how many characters it has."""
    left = IBAN_LENGTHS.get(text[start : start + _LETTERS].upper())
    if left is None:
        return None
    compact = ""
    for at in range(start, end):
        if text[at].isalnum():
            compact += text[at].upper()
        if len(compact) == left:
            return at + 1 if iban(compact) and not text[at + 1 : at + 2].isalnum() else None
    return None


_S = r"([ \u00a0\u202f.-]?)"
_CARD = re.compile(
    r"[2-6](?<![\w.]{2})(?<![0-9]-[2-6])(?:"
    r"(?:(?<=4)[0-9]{3}|(?<=5)[1-5][0-9]{2}|(?<=2)[2-7][0-9]{2}|(?<=6)[0-9]{3}|(?<=3)5[2-8][0-9])"
    rf"{_S}[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{4}}(?:(?<=[ .-][0-9]{{4}})\1[0-9]{{3}}(?![0-9]))?"
    rf"|(?<=3)[47][0-9]{{2}}{_S}[0-9]{{6}}\2[0-9]{{5}}"
    rf"|(?<=3)(?:0[0-5]|[689][0-9])[0-9]{_S}[0-9]{{6}}\3[0-9]{{4}}"
    r")(?![\w])(?!\.[0-9])"
)


def _cards(text: Text) -> list[Span]:
    return [
        Span(*found.span(), "card")
        for found in _CARD.finditer(text.text)
        if luhn("".join(each for each in found[0] if each.isdigit()))
    ]


# -- is there a number to look for? ------------------------------------------------------------
# Searching for digits stops at every digit there is. So a text is first drawn in three
# characters, and its drawing searched for plain strings, which skips.

_ALL = [chr(code) for code in range(256)]
_DIGITS = "0123456789"
_SHAPES = bytes(
    ord("9" if each in _DIGITS else "a" if each.isascii() and each.isalpha() else " ")
    for each in _ALL
)
_ZEROS = bytes(
    ord("0" if each == "0" else "9" if each in _DIGITS else kind)
    for each in _ALL
    for kind in ["-" if each in "/-." else "a" if each.isalnum() or each in "_,#=" else " "]
)
_CARD_SHAPE = re.compile(rb" 9999 ?9999(?:99)? ?9999")
_IBAN_SHAPE = re.compile(rb" aa99(?:[a9]{11,30}+[^a9]| [a9]{4} [a9]{4})")
_ZERO_SHAPE = re.compile(rb" 0(?:[09]{2,6}[ -]|[09]{5})")


def _numeric(text: Text) -> bool:
    raw = b" %b " % text.text.encode("latin-1", "replace")
    shape = raw.translate(_SHAPES)
    return (
        "+" in text.text
        or _CARD_SHAPE.search(shape) is not None
        or _IBAN_SHAPE.search(shape) is not None
        or _ZERO_SHAPE.search(raw.translate(_ZEROS)) is not None
    )


def _numbers(text: Text) -> list[Span]:
    return _phone(text) + _accounts(text) + _cards(text)


PERSONAL: tuple[Detector, ...] = (
    Detector(frozenset({"email"}), Level.PERSONAL, _addressed, _mail),
    Detector(frozenset({"phone", "iban", "card"}), Level.PERSONAL, _numeric, _numbers),
)
