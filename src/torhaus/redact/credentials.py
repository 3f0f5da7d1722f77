"""Secrets that can be told by what stands around them: headers, URLs, private keys."""

import re
from re import Match

from torhaus.redact.detector import Detector, Level, Span, Text, holds, words
from torhaus.redact.mask import is_masked

# The body ends where the next five dashes begin, so many beginnings without an end cost no more
# than one: nothing is looked at twice. Without its end a key goes on as long as base64 does.
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:[^-]|-(?!----))*+-----END [A-Z0-9 ]{0,60}-----"
    r"|(?:(?:[\s>|*#]|\\[nrt\\])*+(?:[A-Za-z-]{2,20}: [^\n\\]{0,100}+|[A-Za-z0-9+/=]{16,}+))++"
    r"(?:(?:\s|\\[nr\\])++[A-Za-z0-9+/=]{1,15}(?=[\s\\]|$))?)"
    r"|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----(?:[^-]|-(?!---))*+"
    r"|Private-Lines: [0-9]{1,4}\s++(?:[A-Za-z0-9+/=]{16,}+(?:\s|\\[nr])*+)++"
)
_URL = re.compile(r"://[^\s/@:\"'<>\\\[\]]{0,256}:([^\s/@\"'<>\\]{1,256})@")
_USER = re.compile(r"://([A-Za-z0-9_-]{20,128})@")
_DSN = re.compile(r"://([0-9a-f]{32}(?::[0-9a-f]{32})?)@")
_BEARER = re.compile(r"(?i:(?<=[\s\"'=:])|^)(?i:bearer|basic)(?:\s|%20){1,3}([\w.~+/=-]{12,}+)")
_HEADER = re.compile(
    r"(?i:authorization)\\{0,3}[\"']?\s{0,4}[:=]\s{0,4}\\{0,3}[\"']?"
    r"(?:[A-Za-z0-9-]{3,24}\s{1,3})?([^\s\"',;<>\\]{8,}+)"
)
_CURL = re.compile(r"(?:-u|--user)[ =]{1,2}[\"']?[^\s:\"'\\]{1,64}:([^\s\"'\\]{3,128})")
_COOKIE = re.compile(r"(?i:(?<![\w])(?:set-)?cookie): {0,4}([^\r\n\"\\]{4,}+)")


def _key(text: Text) -> list[Span]:
    return [Span(*found.span(), "private-key") for found in _PEM.finditer(text.text)]


def _url(text: Text) -> list[Span]:
    spans = [Span(*found.span(1), "sentry-dsn") for found in _DSN.finditer(text.text)]
    spans += [
        Span(*found.span(1), "url-password")
        for found in _URL.finditer(text.text)
        if not is_masked(found[1]) and found[1][0] not in "${"
    ]
    spans += [
        Span(*found.span(1), "url-password")
        for found in _USER.finditer(text.text)
        if _opaque(found[1])
    ]
    return spans


def _opaque(value: str) -> bool:
    """Not a word: digits among letters, or base64 with both cases or padding."""
    digits = any(each.isdigit() for each in value)
    if digits or value.endswith("="):
        return True
    return len(value) >= 16 and not value.islower() and not value[1:].islower()


def _authorization(text: Text) -> list[Span]:
    def wanted(found: Match[str]) -> bool:
        return _opaque(found[1])

    return [
        Span(*found.span(1), "authorization")
        for pattern in (_BEARER, _HEADER)
        for found in filter(wanted, pattern.finditer(text.text))
    ]


def _curl(text: Text) -> list[Span]:
    return [
        Span(*found.span(1), "password")
        for found in _CURL.finditer(text.text)
        if not is_masked(found[1]) and found[1][0] not in "${"
    ]


def _cookie(text: Text) -> list[Span]:
    return [
        Span(*found.span(1), "cookie") for found in _COOKIE.finditer(text.text) if "=" in found[1]
    ]


CREDENTIALS: tuple[Detector, ...] = (
    Detector(frozenset({"private-key"}), Level.SECRETS, words("private"), _key),
    Detector(frozenset({"sentry-dsn", "url-password"}), Level.SECRETS, holds("@"), _url),
    Detector(
        frozenset({"authorization"}),
        Level.SECRETS,
        words("bearer", "basic", "authorization"),
        _authorization,
    ),
    Detector(frozenset({"password"}), Level.SECRETS, words("curl "), _curl),
    Detector(frozenset({"cookie"}), Level.SECRETS, words("cookie:"), _cookie),
)
