"""News for people: something waits for them, or ends soon."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What happened. The values are stable for programs that receive them."""

    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_DECIDED = "approval.decided"
    ACCESS_REQUESTED = "access.requested"
    ACCESS_DECIDED = "access.decided"
    ACCESS_EXPIRING = "access.expiring"
    TOOL_NEW = "tool.new"
    TOOL_CHANGED = "tool.changed"
    BUDGET = "budget.spent"
    TOKEN_REUSED = "token.reused"  # noqa: S105 -- a word, no password
    STOP_ENDED = "stop.ended"
    PERSON = "person.attention"
    CREDENTIAL = "credential.attention"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of news.

    `text`: a sentence for people, without arguments or secrets. `to`: roles, groups or e-mail
    addresses it is for. `facts`: the same for programs. `link`: where to act on it; it may let its
    holder see the request, so it is sent to `to` alone and never logged. `at`: Unix seconds.
    """

    kind: Kind
    text: str
    at: float
    to: tuple[str, ...] = ()
    facts: Mapping[str, str] = {}
    link: str | None = None
