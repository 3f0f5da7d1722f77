"""One thing the doctor looked at, and how it is."""

from enum import StrEnum

import msgspec


class Level(StrEnum):
    PASS = "pass"  # noqa: S105 -- a word for people
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`message`: a sentence's worth; `fix`: what to do, empty when all is well."""

    check: str
    level: Level
    message: str
    fix: str = ""


def good(check: str, message: str) -> Finding:
    return Finding(check=check, level=Level.PASS, message=message)


def doubt(check: str, message: str, fix: str) -> Finding:
    return Finding(check=check, level=Level.WARN, message=message, fix=fix)


def bad(check: str, message: str, fix: str) -> Finding:
    return Finding(check=check, level=Level.FAIL, message=message, fix=fix)
