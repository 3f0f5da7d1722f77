"""The ends a call can meet. Every call meets exactly one."""

from enum import StrEnum
from typing import final

import msgspec

from torhaus.model.verdict import Allow, Deny, Hold, Verdict


class Counted(msgspec.Struct, frozen=True, gc=False):
    """What was seen of a result while it was read. `of`: the very text; of another it says nothing.

    `items`: how many things it holds; None where that is unknown, or it is an error.
    """

    of: bytes
    is_error: bool
    items: int | None


class Answer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What an upstream answered: strict JSON text of `result` or of `error`, never both.

    `status`: the HTTP status that fits (200; 400 or 404 for some modern errors).
    `session`: the upstream's session id on an answer to `initialize`.
    `event_id`: the id of the event that carried it, where the upstream can replay.
    """

    result: bytes | None = None
    error: bytes | None = None
    status: int = 200
    session: str | None = None
    event_id: str | None = None
    counted: Counted | None = None


class Served(StrEnum):
    """How the cache came by an answer: it had it, an equal call was under way, or it is old."""

    HIT = "hit"
    COALESCED = "coalesced"
    STALE = "stale"


@final
class Answered(msgspec.Struct, frozen=True, gc=False):
    """`cacheable`: the cache was asked. `cached`: it had the answer, `age` seconds old.

    `refreshed`: the answer is old, and the server is asked for a new one on this call's account.
    """

    verdict: Allow
    answer: Answer
    cached: bool = False
    age: float = 0.0
    cacheable: bool = False
    items: int | None = None
    served: Served | None = None
    refreshed: bool = False


class Refused(msgspec.Struct, frozen=True, gc=False):
    """`approval`: the id of the request for approval it is about, if any."""

    verdict: Deny
    approval: str | None = None


class Held(msgspec.Struct, frozen=True, gc=False):
    """Somebody has to agree first. `approval`: the id of the request for it.

    `answer`: what the caller gets now: where to ask, and how to come back.
    """

    verdict: Hold
    approval: str
    answer: Answer


class Limited(msgspec.Struct, frozen=True, gc=False):
    """`retry_after`: seconds until the next call of this kind fits. `text`: what callers read."""

    verdict: Allow
    limit: str
    retry_after: float
    text: str = ""


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The upstream could not answer; `reason` is a sentence for people.

    `joined`: it was an equal call that failed, and this one never went.
    """

    verdict: Allow
    reason: str
    joined: bool = False


class Abandoned(msgspec.Struct, frozen=True, gc=False):
    """The caller hung up, or we crashed, before another end was reached.

    `approval`: the id of the request for approval it was waiting for.
    """

    verdict: Verdict
    approval: str | None = None


Outcome = Answered | Refused | Held | Limited | Failed | Abandoned
