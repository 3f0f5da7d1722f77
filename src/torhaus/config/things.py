"""Names of things that rules are bound to: what no call can be about is no bound."""

import re
from collections.abc import Callable, Mapping

from torhaus.config.access import ALL
from torhaus.config.problems import FaultError
from torhaus.config.tree import printable

_SEGMENT = re.compile(r"[A-Za-z0-9._*?-]+")


def check(kind: str, text: str) -> None:
    """Raises FaultError for a pattern that can match no name of this kind.

    Names are read from calls in one spelling only (policy/targets.py). A denied name in another
    one would be denied to nobody.
    """
    if text not in ALL and kind in _CHECKS:
        _CHECKS[kind](text)


def _repo(text: str) -> None:
    parts = text.split("/")
    if len(parts) != 2 or not all(map(_SEGMENT.fullmatch, parts)):
        raise FaultError(
            f"{printable(text)!r} can match no repository",
            "write OWNER/NAME, such as myorg/api or */secret-*",
        )
    if text.lower().endswith(".git"):
        raise FaultError(
            f"{printable(text)!r} can match no repository: names end without .git",
            f"write {printable(text[: -len('.git')])}",
        )


def _path(text: str) -> None:
    if not text.startswith("/"):
        raise FaultError(
            f"{printable(text)!r} can match no path: paths begin with /",
            "write it from the root, such as /data/reports/**",
        )
    if any(part in ("", ".", "..") for part in text.split("/")[1:]) and text != "/":
        raise FaultError(
            f"{printable(text)!r} can match no path: paths have no empty parts, `.` or `..`",
            "write it as calls do, such as /data/reports",
        )


_CHECKS: Mapping[str, Callable[[str], None]] = {"repos": _repo, "paths": _path}
