"""Which things a call is about, read from its arguments as strictly as a server might not."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from torhaus.model.servers import TargetArgs, ToolClass
from torhaus.policy.names import crowded, folded

MAX_NAME = 1024
EVERY_KIND = frozenset({"repos", "projects", "channels", "paths"})


class Targets(msgspec.Struct, frozen=True):
    """`named`: (kind, name) as the caller wrote it; `unknown`: kinds it may be about besides.

    `problem`: a sentence when an argument that should name a target does not; then nothing else
    counts.
    """

    named: frozenset[tuple[str, str]] = frozenset()
    unknown: frozenset[str] = frozenset()
    problem: str | None = None


NOTHING = Targets()

_Found = set[tuple[str, str]]


class _MalformedError(ValueError):
    """The text is a sentence about one argument."""


_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_CHANNEL = re.compile(r"#?[A-Za-z0-9._-]+")
# The templates of github-mcp-server: repo://{owner}/{repo}/contents{/path*} and others below it.
_REPO_URI = re.compile(r"repo://([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+)((?:/[^/%?#\\]+)*)")


def targets(
    known: ToolClass | None, arguments: Mapping[str, Any], kinds: frozenset[str]
) -> Targets:
    """The targets of these kinds. A tool that is in no table may be about any.

    Never coerced, never trimmed: what the server behind would read otherwise is a problem.
    """
    if known is None or (known.scope != "none" and not known.targets and not known.blind):
        return Targets(unknown=kinds)
    named: _Found = set()
    unknown = set(known.blind & kinds)
    try:
        for each in known.targets:
            if each.kind in kinds and not _read(each, known.targets[0], arguments, named):
                unknown.add(each.kind)
    except _MalformedError as error:
        return Targets(problem=str(error))
    if not named and not unknown:
        return NOTHING
    return Targets(frozenset(named), frozenset(unknown))


def within_uris(uris: Iterable[object], kinds: frozenset[str]) -> Targets:
    """The targets of resource URIs: only those of GitHub's own scheme say which repository."""
    named: _Found = set()
    for uri in uris:
        proper = isinstance(uri, str) and uri.isascii() and uri.isprintable()
        found = _REPO_URI.fullmatch(str(uri)) if proper else None
        if found is None or not _plain(found[3].split("/")[1:]):
            return Targets(unknown=kinds)
        try:
            named.add(("repos", _segments("uri", "repos", [found[1], found[2]])))
        except _MalformedError:
            return Targets(unknown=kinds)
    return Targets(frozenset(named), kinds - {"repos"})


def _plain(segments: Sequence[str]) -> bool:
    return all(segment not in (".", "..") for segment in segments)


def _read(each: TargetArgs, first: TargetArgs, arguments: Mapping[str, Any], into: _Found) -> bool:
    """Put the targets it names into `into`. False: what it is about cannot be told.

    Raises _MalformedError.
    """
    names = (*each.args, *each.either)
    for name in arguments:
        _beside(name, names)
    present = [name for name in names if name in arguments]
    if not present:
        if each.missing != "primary":
            return each.missing == "none"
        return _joined(each, first, arguments, into)
    known = True
    for name in each.either:
        if name in arguments:
            known &= _wholes(each, name, arguments[name], into)
    if any(name in arguments for name in each.args):
        known &= _joined(each, first, arguments, into)
    return known


def _joined(
    each: TargetArgs, first: TargetArgs, arguments: Mapping[str, Any], into: _Found
) -> bool:
    """`args` joined by `/`. The last of several may hold the whole name."""
    *outer, last = each.args
    heads = [_part(name, _value(each, first, at, arguments)) for at, name in enumerate(outer)]
    value = _value(each, first, len(outer), arguments)
    if not outer:
        return value is not None and _wholes(each, last, value, into)
    if value is None:
        return False
    known = True
    for item in _items(each, last, value):
        text = _text(last, item)
        if "/" in text:
            _agree(outer, last, heads, text)
            known &= _whole(each, last, text, into)
        elif None in heads:
            known = False
        else:
            known &= _whole(each, last, "/".join((*filter(None, heads), text)), into)
    return known


def _value(each: TargetArgs, first: TargetArgs, at: int, arguments: Mapping[str, Any]) -> Any:
    """An argument, or for a second target the first one's where it is missing."""
    name = each.args[at]
    if name in arguments:
        return _given(name, arguments[name])
    if each.missing == "primary" and each is not first and at < len(first.args):
        name = first.args[at]
        return _given(name, arguments[name]) if name in arguments else None
    return None


def _given(name: str, value: Any) -> Any:
    if value is None:
        raise _MalformedError(f"`{name}` must be text, and is null")
    return value


def _agree(outer: Sequence[str], last: str, heads: Sequence[str | None], text: str) -> None:
    parts = text.split("/")
    if len(parts) != len(outer) + 1:
        raise _MalformedError(f"`{last}` must be one name or the whole of it, such as owner/repo")
    for name, head, part in zip(outer, heads, parts, strict=False):
        if head is not None and head.lower() != part.lower():
            raise _MalformedError(f"`{name}` and `{last}` name different things")


def _part(name: str, value: Any) -> str | None:
    if value is None:
        return None
    text = _text(name, value)
    if "/" in text:
        raise _MalformedError(f"`{name}` must be one name, without /")
    return text


def _wholes(each: TargetArgs, name: str, value: Any, into: _Found) -> bool:
    known = True
    for item in _items(each, name, _given(name, value)):
        known &= _whole(each, name, _text(name, item), into)
    return known


def _items(each: TargetArgs, name: str, value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        return (value,)
    if not each.many:
        raise _MalformedError(f"`{name}` must be one name, and is a list")
    if not value:
        raise _MalformedError(f"`{name}` is an empty list: name at least one")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _MalformedError(f"`{name}` must be text")
    if not value or len(value) > MAX_NAME:
        raise _MalformedError(f"`{name}` must have 1 to {MAX_NAME} characters")
    return value


def _whole(each: TargetArgs, name: str, text: str, into: _Found) -> bool:
    """One whole name. False when the pattern says that it does not tell."""
    if each.pattern is not None:
        found = each.pattern.fullmatch(text)
        if found is None or not found.re.groups or not found[1]:
            return False
        text = found[1]
    if each.kind == "paths":
        into.add((each.kind, _path(name, text)))
    elif each.kind == "channels":
        into.add((each.kind, _channel(name, text)))
    else:
        into.add((each.kind, _segments(name, each.kind, text.split("/"))))
    return True


def _segments(name: str, kind: str, segments: Sequence[str]) -> str:
    for segment in segments:
        if _SEGMENT.fullmatch(segment) is None or segment in (".", ".."):
            raise _MalformedError(
                f"`{name}` must consist of letters, digits, `.`, `-` and `_`, with one `/` between"
            )
        if kind == "repos" and segment.lower().endswith(".git"):
            raise _MalformedError(f"`{name}` must not end in .git")
    if kind == "projects" and segments[-1].isdigit():
        raise _MalformedError(f"`{name}` must be the project's name, not its number")
    return "/".join(segments)


def _channel(name: str, text: str) -> str:
    if _CHANNEL.fullmatch(text) is None:
        raise _MalformedError(f"`{name}` must be a channel's name or id")
    return text.removeprefix("#")


def _path(name: str, text: str) -> str:
    """Absolute and in its one spelling: no `..`, `//`, escapes or look-alike characters."""
    segments = text.split("/")
    inside = segments[1:] if text != "/" else []
    if (
        segments[0]
        or any(segment in ("", ".", "..") for segment in inside)
        or any(segment != segment.strip() for segment in inside)
        or not text.isprintable()
        or not {"%", "\\"}.isdisjoint(text)
        or crowded(text)
        or not unicodedata.is_normalized("NFKC", text)
    ):
        raise _MalformedError(
            f"`{name}` must be an absolute path in plain spelling, such as /data/reports"
        )
    return text


def _beside(name: str, names: Sequence[str]) -> None:
    """`Owner` beside or instead of `owner`: Go's JSON takes either (CVE-2026-27896)."""
    if name in names:
        return
    found = folded(name)
    for wanted in names:
        if found == folded(wanted):
            raise _MalformedError(f"`{wanted}` must be written in that very spelling")
