"""Users and groups: each request becomes one question or one act."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.admin.acts import Refusal
from torhaus.admin.perform import Admin
from torhaus.admin.provisioning.acts import ProvisionGroup, ProvisionUser, RemoveGroup, RemoveUser
from torhaus.admin.provisioning.books import ScimBooks
from torhaus.admin.provisioning.users import STALE
from torhaus.api.scim.answers import refused
from torhaus.api.scim.queries import Query
from torhaus.identity.scim.attributes import REQUIRED, Document, Kind, kept
from torhaus.identity.scim.patching import patched
from torhaus.identity.scim.problem import ScimError
from torhaus.identity.scim.reading import address
from torhaus.model.people import Principal
from torhaus.model.provisioning import Provisioned, ScimSource

TRIES = 5
"""How often a change is made anew when another was quicker."""

Change = Callable[[Document], Document]


class Sender(msgspec.Struct, frozen=True):
    """Who pushes, and from where."""

    source: ScimSource
    ip: str

    @property
    def principal(self) -> Principal:
        return Principal(id=self.source.owner, email=self.source.owner)


class Resources:
    """Methods raise ScimError, StateError and LedgerError. `clock`: Unix seconds."""

    def __init__(self, admin: Admin, books: ScimBooks, clock: Callable[[], float]) -> None:
        self._admin = admin
        self._books = books
        self._clock = clock

    async def get(self, sender: Sender, kind: Kind, id: str) -> Provisioned:
        found = await self._books.get(sender.source.name, kind.value, id)
        if found is None:
            raise ScimError(404, f"there is no {kind.value} {id[:64]!r}")
        return found

    async def page(self, query: Query) -> tuple[int, list[Provisioned]]:
        total, found = await self._books.page(query.sought, query.start, query.most)
        if query.member is None:
            return total, found
        found = [each for each in found if query.member in _members(_document(each))]
        return len(found), found

    async def make(self, sender: Sender, kind: Kind, body: Mapping[str, Any]) -> Provisioned:
        now = self._clock()
        empty = Provisioned(
            id=str(uuid.uuid4()), kind=kind.value, source=sender.source.name, name="", document="{}"
        )
        document = await self._known(sender, kind, kept(kind, body), {})
        made = _with(msgspec.structs.replace(empty, created=now), document, now)
        await self._perform(sender, _act(sender, made, None))
        return made

    async def replace(
        self, sender: Sender, kind: Kind, id: str, body: Mapping[str, Any]
    ) -> Provisioned:
        return await self._change(sender, kind, id, lambda _: kept(kind, body))

    async def patch(
        self, sender: Sender, kind: Kind, id: str, body: Mapping[str, Any]
    ) -> Provisioned:
        return await self._change(sender, kind, id, lambda found: patched(kind, found, body))

    async def remove(self, sender: Sender, kind: Kind, id: str) -> None:
        source = sender.source
        act = RemoveUser(source=source, id=id)
        gone = act if kind is Kind.USER else RemoveGroup(source=source, id=id)
        await self._perform(sender, gone)

    async def _change(self, sender: Sender, kind: Kind, id: str, change: Change) -> Provisioned:
        for _ in range(TRIES):
            before = await self.get(sender, kind, id)
            old = _document(before)
            document = await self._known(sender, kind, change(old), old)
            if document == old:
                return before
            after = _with(before, document, self._clock())
            if await self._perform(sender, _act(sender, after, before), again=True):
                return after
        raise ScimError(409, "others change this all the time: try again later")

    async def _known(self, sender: Sender, kind: Kind, new: Document, old: Document) -> Document:
        """Without members that are nobody's ids: another's, or of groups in groups."""
        if kind is Kind.USER:
            return new
        fresh = _members(new) - _members(old)
        unknown = await self._books.unknown(sender.source.name, fresh)
        members = [each for each in new.get("members", []) if each["value"] not in unknown]
        return {**new, "members": members} if members else _without(new)

    async def _perform(self, sender: Sender, act: Any, *, again: bool = False) -> bool:
        """False where another was quicker and it may be tried `again`."""
        done = await self._admin.perform(sender.principal, act, sender.ip)
        if not isinstance(done, Refusal):
            return True
        if again and done.code == STALE:
            return False
        raise refused(done)


def _act(sender: Sender, made: Provisioned, before: Provisioned | None) -> Any:
    if made.kind == Kind.USER:
        return ProvisionUser(source=sender.source, user=made, before=before)
    return ProvisionGroup(source=sender.source, group=made, before=before)


def _with(row: Provisioned, document: Document, now: float) -> Provisioned:
    kind = Kind(row.kind)
    return msgspec.structs.replace(
        row,
        external_id=document.get("externalId"),
        name=document[REQUIRED[kind]].lower(),
        email=address(document) if kind is Kind.USER else None,
        document=msgspec.json.encode(document).decode(),
        changed=now,
    )


def _document(row: Provisioned) -> Document:
    return msgspec.json.decode(row.document, type=dict[str, Any])


def _members(document: Document) -> frozenset[str]:
    return frozenset(each["value"] for each in document.get("members", []))


def _without(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "members"}
