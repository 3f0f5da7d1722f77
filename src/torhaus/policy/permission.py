"""Permissions as people write them: `github.read`, `github:issues:write`, `github:*`, `*`."""

import re
from difflib import get_close_matches

from torhaus.model.access import Permission
from torhaus.model.names import HOUSE
from torhaus.policy.tables import TYPES

ACTIONS = frozenset({"read", "write", "delete", "admin", "execute", "resolve"})

HOUSE_RIGHTS = frozenset(
    {
        ("audit", "read"),
        ("credentials", "admin"),
        ("keys", "admin"),
        ("people", "admin"),
        ("stops", "admin"),
    }
)
"""What `torhaus:TYPE:ACTION` can name: rights over the gateway itself."""

_SERVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}|\*")


def parse(text: str, rule: str) -> Permission:
    """Read one permission; dots mean the same as colons.

    `rule` names it in verdicts. Raises ValueError: a sentence that says what is wrong and what to
    write instead. Actions are flat: `write` includes neither `read` nor `delete`.
    """
    if text == "*":
        return Permission("*", "*", "*", rule)
    parts = text.split(":") if ":" in text else text.split(".")
    if len(parts) == 2:
        parts.insert(1, "*")
    if len(parts) != 3:
        raise ValueError(
            f"{text!r} is not a permission: write SERVER:ACTION, SERVER:TYPE:ACTION, "
            f"SERVER:* or *, such as github:read"
        )
    server, kind, action = parts
    _check(text, server, kind, action)
    return Permission(server, kind, action, rule)


def _check(text: str, server: str, kind: str, action: str) -> None:
    if _SERVER.fullmatch(server) is None:
        raise ValueError(
            f"{server!r} in {text!r} is not a server's name: "
            f"use letters, digits, - and _, or * for every server"
        )
    if server == HOUSE:
        _check_house(text, kind, action)
        return
    if action not in ACTIONS and action != "*":
        raise ValueError(_no_action(text, server, kind, action))
    if kind not in TYPES and kind != "*":
        raise ValueError(
            f"{kind!r} in {text!r} is not a type of thing: "
            f"{_meant(kind, TYPES) or 'leave it out to mean every type'}"
        )


def _check_house(text: str, kind: str, action: str) -> None:
    if (kind, action) not in HOUSE_RIGHTS:
        rights = ", ".join(f"{HOUSE}:{kind}:{action}" for kind, action in sorted(HOUSE_RIGHTS))
        raise ValueError(f"{text!r} is not a right over the gateway itself: write {rights}")


def _no_action(text: str, server: str, kind: str, action: str) -> str:
    what = f"{action!r} in {text!r} is not an action: "
    if kind == "*" and server in ACTIONS and action in TYPES:
        return what + f"here the server comes first, such as github:{action}:{server}"
    if kind in ACTIONS and action in TYPES:
        return what + f"the type comes before the action, write {server}:{action}:{kind}"
    if kind == "*" and action in TYPES:
        return what + f"say what may be done, such as {server}:{action}:read"
    return what + (_meant(action, ACTIONS) or f"use {', '.join(sorted(ACTIONS))} or *")


def _meant(word: str, known: frozenset[str]) -> str | None:
    close = get_close_matches(word.lower(), sorted(known), n=1)
    return f"did you mean {close[0]!r}?" if close else None
