"""Pieces of text without which no secret is found: one look for all of them spares the others.

HARD ones are reason enough for a closer look. SOFT ones are common, and a pattern says whether
they are. Both are octets of JSON text, where a quote inside of a string is escaped.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from re import Pattern

_HEX = "0123456789abcdefABCDEF"
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def cases(word: str) -> Iterator[str]:
    """A word in every mixture of small letters and capitals."""
    return map("".join, product(*(dict.fromkeys((c.lower(), c.upper())) for c in word)))


def _tokens() -> Iterator[str]:
    yield from (f"gh{each}_" for each in "pousr")
    yield from (f"{kind}_{mode}_" for kind in ("sk", "rk") for mode in ("live", "test"))
    yield from (f"th{each}_" for each in "ktrsc")
    yield from (f"do{each}_v1_" for each in "opr")
    yield from (f"shp{each}_" for each in ("at", "ca", "pa", "ss"))
    yield from ("github_pat_", "whsec_", "npm_", "sntrys_", "sntryu_", "hf_", "tcs_", "dckr_pat_")
    yield from ("dckr_oat_", "lin_api_", "lin_oauth_", "glsa_", "glc_")
    kinds = "pat soat ptt imt agent oas ffct dt dbt rt rbt ct cbt ft fbt t bt"
    yield from (f"gl{each}-" for each in kinds.split())
    yield from (f"xox{chr(each)}-" for each in range(ord("a"), ord("z") + 1))
    yield from (f"sk-{each}-" for each in ("ant", "proj", "svcacct", "admin", "or"))
    yield from ("xapp-", "pypi-", "AGE-SECRET-KEY-1", "NRAK-", "PMAK-", "GOCSPX-")
    yield from (f"{kind}{each}" for kind in ("AKIA", "ASIA", "ABIA", "ACCA") for each in _CAPITALS)
    yield from (f"{kind}{each}" for kind in ("SK", "dapi") for each in _HEX[:16])
    yield from ("AIza", "ATATT3", ":AA", "SG.", "ya29.", "hvs.", "hvb.", "Q~", "eyJ")
    yield from ("hooks.slack.com/", "?sig=", "&sig=", ";sig=")
    yield from (f"{end}{key}ey=" for end in ("t", "T", "s", "S") for key in ("K", "k"))


def _words() -> Iterator[str]:
    yield from ("PRIVATE KEY", "Private-Lines: ")
    yield from cases("cookie:")
    # An escape can spell anything.
    yield from ("\\u", "\\/")


# `sk-` where a word begins: `task-` and `disk-` are words themselves.
_BEGIN = re.compile(rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))sk-[\w-]{20}")

HARD: tuple[bytes, ...] = tuple(dict.fromkeys(each.encode() for each in (*_tokens(), *_words())))

# A quote that is not escaped ends a member's name: what stands under names is masked by name.
_THEN = rb"(?:\\+[\"']|['`])?[ \t]{0,4}(?::=|=>|[:=])"
# `--password hunter2`: an option takes its value after a space.
_NAMES = rb"(?i:passw|passphrase|pwd|secret|token|key|credential)[\w-]{0,40}"
_ASSIGNED = re.compile(
    _NAMES + _THEN + rb"|(?:(?<=-)|(?<=-(?i:api)))" + _NAMES + rb"[ \t]{1,4}(?!-)"
)
_HEADER = re.compile(rb"(?i:authorization)" + _THEN)
_SCHEME = re.compile(rb"(?i:bearer|basic)(?:\s|%20|\\[nrt]){1,3}[\w.~+/=-]{12}")
_URL = re.compile(rb"://[^\s/@\"'<>\\]{1,520}@")
_CURL = re.compile(rb"(?i:curl )[^\n]*?-(?:u|-user)")


def _soft(words: Iterable[str], pattern: Pattern[bytes]) -> Iterator[tuple[bytes, Pattern[bytes]]]:
    for word in words:
        yield from ((each.encode(), pattern) for each in cases(word))


SOFT: tuple[tuple[bytes, Pattern[bytes]], ...] = (
    (b"sk-", _BEGIN),
    (b"://", _URL),
    *_soft(("passw", "passph", "pwd", "secret", "token", "key", "credent"), _ASSIGNED),
    *_soft(("authoriz",), _HEADER),
    *_soft(("bearer", "basic"), _SCHEME),
    *_soft(("curl ",), _CURL),
)
