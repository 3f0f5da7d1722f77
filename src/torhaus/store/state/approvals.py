"""Requests for approval in the state database."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.approval import Approval, State, Wanted
from torhaus.store.state.revisions import APPROVALS, tell

_COLUMNS = (
    "id, state, digest, requester, email, server, tool, arguments, policy, reason, "
    "policy_version, approvers, created, expires, decided_by, decided_at, comment"
)
_OPEN = "state IN ('pending', 'approved')"
_SAME = "digest = :digest AND requester = :requester AND policy_version = :policy_version"

_FIND = text(f"SELECT {_COLUMNS} FROM approvals WHERE {_OPEN} AND {_SAME}")  # noqa: S608 -- constants
_DENIED = text(
    f"SELECT {_COLUMNS} FROM approvals "  # noqa: S608 -- constants
    f"WHERE state = 'denied' AND {_SAME} AND expires > :now ORDER BY expires DESC"
)
_ADD = text(
    f"INSERT INTO approvals ({_COLUMNS}) VALUES (:id, :state, :digest, :requester, :email, "  # noqa: S608 -- constants
    ":server, :tool, :arguments, :policy, :reason, :policy_version, :approvers, :created, "
    ":expires, :decided_by, :decided_at, :comment) ON CONFLICT DO NOTHING"
)
_OF = text(
    f"SELECT {_COLUMNS} FROM approvals WHERE {_OPEN} AND (requester = :email OR email = :email)"  # noqa: S608 -- constants
)
_WAITING = text(
    "SELECT count(*) FROM approvals "
    "WHERE requester = :requester AND state = 'pending' AND expires > :now"
)
_GIVEN_UP = text(
    "SELECT count(*) FROM approvals "
    "WHERE requester = :requester AND state = 'cancelled' AND created > :since"
)
_TAKE = text(
    f"UPDATE approvals SET state = 'used' WHERE id = :id AND state = 'approved' AND {_SAME} "  # noqa: S608 -- constants
    "AND expires > :now"
)
_GET = text(f"SELECT {_COLUMNS} FROM approvals WHERE id IN :ids").bindparams(  # noqa: S608 -- constants
    bindparam("ids", expanding=True)
)
_MOVE = text("UPDATE approvals SET state = :new WHERE id = :id AND state = :old")
_DECIDE = text(
    "UPDATE approvals SET state = :new, decided_by = :by, decided_at = :now, comment = :comment "
    "WHERE id = :id AND state = :old AND expires > :now"
)
_OVERDUE = text(
    f"SELECT {_COLUMNS} FROM approvals WHERE {_OPEN} AND expires <= :now "  # noqa: S608 -- constants
    "ORDER BY expires LIMIT :most"
)
_FORGET = text(f"DELETE FROM approvals WHERE NOT ({_OPEN}) AND expires < :before")  # noqa: S608 -- constants
_NEWEST = text(
    f"SELECT {_COLUMNS} FROM approvals WHERE state IN :states AND created < :before "  # noqa: S608 -- constants
    "ORDER BY created DESC, id LIMIT :most"
).bindparams(bindparam("states", expanding=True))

_FAR = 1e18
_lists = msgspec.json.Decoder(tuple[tuple[str, ...], ...]).decode


class StateApprovals:
    """The `ApprovalDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open(self, wanted: Wanted) -> Approval | None:
        found = (await self._connection.execute(_FIND, _key(wanted))).first()
        return None if found is None else _approval(found)

    async def denied(self, wanted: Wanted, now: float) -> Approval | None:
        values = {"now": now, **_key(wanted)}
        found = (await self._connection.execute(_DENIED, values)).first()
        return None if found is None else _approval(found)

    async def add(self, approval: Approval) -> bool:
        wanted = approval.wanted
        values = {
            **msgspec.structs.asdict(wanted),
            "approvers": msgspec.json.encode(wanted.approvers).decode(),
            "id": approval.id,
            "state": approval.state.value,
            "created": approval.created,
            "expires": approval.expires,
            "decided_by": approval.decided_by,
            "decided_at": approval.decided_at,
            "comment": approval.comment,
        }
        return (await self._connection.execute(_ADD, values)).rowcount == 1

    async def waiting(self, requester: str, now: float) -> int:
        values = {"requester": requester, "now": now}
        return int((await self._connection.execute(_WAITING, values)).scalar_one())

    async def given_up(self, requester: str, since: float) -> int:
        values = {"requester": requester, "since": since}
        return int((await self._connection.execute(_GIVEN_UP, values)).scalar_one())

    async def take(self, id: str, wanted: Wanted, now: float) -> bool:
        values = {"id": id, "now": now, **_key(wanted)}
        return (await self._connection.execute(_TAKE, values)).rowcount == 1

    async def get(self, id: str) -> Approval | None:
        found = await self.those((id,))
        return found[0] if found else None

    async def forget(self, before: float) -> None:
        await self._connection.execute(_FORGET, {"before": before})

    async def those(self, ids: Sequence[str]) -> list[Approval]:
        return _approvals((await self._connection.execute(_GET, {"ids": list(ids)})).all())

    async def newest(
        self, state: State | None, most: int, before: float | None = None
    ) -> list[Approval]:
        values = {
            "states": [each.value for each in (State if state is None else (state,))],
            "before": _FAR if before is None else before,
            "most": most,
        }
        return _approvals((await self._connection.execute(_NEWEST, values)).all())

    async def of(self, email: str) -> list[Approval]:
        return _approvals((await self._connection.execute(_OF, {"email": email})).all())

    async def decide(self, id: str, state: State, by: str, comment: str, now: float) -> bool:
        values = {"id": id, "old": "pending", "new": state.value}
        about = {"by": by, "comment": comment, "now": now}
        await tell(self._connection, APPROVALS)
        return (await self._connection.execute(_DECIDE, {**values, **about})).rowcount == 1

    async def move(self, id: str, old: State, new: State) -> bool:
        values = {"id": id, "old": old.value, "new": new.value}
        await tell(self._connection, APPROVALS)
        return (await self._connection.execute(_MOVE, values)).rowcount == 1

    async def overdue(self, now: float, most: int) -> list[Approval]:
        values = {"now": now, "most": most}
        return _approvals((await self._connection.execute(_OVERDUE, values)).all())


def _key(wanted: Wanted) -> dict[str, Any]:
    """The columns that make two requests the same."""
    return {
        "digest": wanted.digest,
        "requester": wanted.requester,
        "policy_version": wanted.policy_version,
    }


def _approvals(rows: Sequence[Row[Any]]) -> list[Approval]:
    return [_approval(row) for row in rows]


def _approval(row: Row[Any]) -> Approval:
    found = row._asdict()
    wanted = Wanted(
        approvers=_lists(found.pop("approvers")),
        digest=bytes(found.pop("digest")),
        **{name: found.pop(name) for name in _TEXTS},
    )
    return Approval(state=State(found.pop("state")), wanted=wanted, **found)


_TEXTS = (
    "requester",
    "email",
    "server",
    "tool",
    "arguments",
    "policy",
    "reason",
    "policy_version",
)
