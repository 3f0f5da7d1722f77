"""Tools that are searched for: what the gateway's own three tools answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from torhaus.gate.aggregate import names, ranking, tools
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.lists import Lists
from torhaus.gate.aggregate.notes import note, note_tool
from torhaus.gate.aggregate.ranking import Doc, Index
from torhaus.gate.aggregate.routing import MAX_NAME
from torhaus.gate.aggregate.shelf import Share
from torhaus.gate.aggregate.slices import Slices
from torhaus.gate.aggregate.tools import Unclear
from torhaus.gate.gate import Gate
from torhaus.gate.lists import UNREADABLE
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.model.outcome import Answer, Answered, Outcome, Refused
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server
from torhaus.model.verdict import Allow
from torhaus.policy.pins import UNKNOWN

LIST = "tools/list"
KEPT = 512
KEPT_OCTETS = 64 << 20
"""Indexes of lists that are remembered, and how long the lists may be together."""
FRESH = 15_000
"""Milliseconds for which a client may keep the list of the three."""
MAX_SAID = 300
"""Characters of a description in an answer of a search."""
MAX_ARGUMENTS = 20
MAX_OCTETS = 200_000
"""Longest answer of `describe_tools`."""
CLOSEST = 3
NO_SUCH = (codes.INVALID_PARAMS, codes.METHOD_NOT_FOUND)
"""With what servers say that they have no such tool; arguments are refused with the first too."""
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")


@dataclass(slots=True, kw_only=True)
class Finding:
    """Owned by one event loop. `rules` returns the snapshot in force."""

    gate: Gate
    lists: Lists
    rules: Callable[[], Rules]
    slices: Slices = field(default_factory=Slices)
    _indexes: dict[bytes, Index] = field(default_factory=dict)
    _making: dict[bytes, "asyncio.Task[Index]"] = field(default_factory=dict)
    room: int = KEPT_OCTETS
    _octets: int = 0

    async def listed(self, guest: Guest, request: Request) -> bytes:
        """The result of `tools/list`. Raises CallerError for a cursor, LedgerError."""
        if "cursor" in request.params:
            text = "the list has one page: ask without a cursor"
            raise CallerError(codes.INVALID_PARAMS, text, status=200, id=request.id)
        servers = guest.servers(self.rules(), self.gate.clock())
        await note(self.gate, guest, request.method)
        whole: dict[str, Any] = {
            "tools": msgspec.Raw(tools.listed([server.name for server in servers]))
        }
        if guest.era is Era.MODERN:
            whole |= {"resultType": "complete", "ttlMs": FRESH, "cacheScope": "private"}
        return encode(whole)

    async def answer(self, guest: Guest, request: Request) -> bytes:
        """The result of a search or a description. Raises LedgerError."""
        servers = guest.servers(self.rules(), self.gate.clock())
        tool = str(request.params["name"])
        work = self._search if tool == tools.SEARCH else self._describe
        try:
            said, fine = await work(guest, servers, request)
        except Unclear as unclear:
            said, fine = str(unclear).encode(), False
        result = _result(guest, said, error=not fine)
        await self._noted(guest, servers, request, result)
        return result

    async def unclear(self, guest: Guest, request: Request, why: Unclear) -> bytes:
        """The result of a `call_tool` that reaches no tool. Raises LedgerError."""
        servers = guest.servers(self.rules(), self.gate.clock())
        result = _result(guest, str(why).encode(), error=True)
        await self._noted(guest, servers, request, result)
        return result

    async def missing(self, guest: Guest, request: Request, name: str) -> bytes:
        """The result of a `call_tool` of a name that nothing here has. Raises LedgerError."""
        return await self.unclear(guest, request, await self.unknown(guest, name))

    async def unknown(self, guest: Guest, name: str) -> Unclear:
        """What to say of a name that no tool has. Raises LedgerError."""
        servers = guest.servers(self.rules(), self.gate.clock())
        indexes, _ = await self._read(guest, servers)
        return Unclear(_unknown(name, await self._closest(indexes, name)))

    async def ended(self, guest: Guest, name: str, ending: Awaitable[Outcome]) -> Outcome:
        """The end of a call through `call_tool`: where the tool is not known, with similar ones.

        One that is hidden from the caller reads like one that does not exist.
        """
        outcome = await ending
        if isinstance(outcome, Answered) and _strange(outcome.answer.error):
            return await self._answered(guest, name, outcome)
        if not isinstance(outcome, Refused) or outcome.approval is not None:
            return outcome
        server = self.rules().servers.get((names.tool_in(guest.view, name) or ("", ""))[0])
        if outcome.verdict.code != UNKNOWN and not (server is not None and server.hide_denied):
            return outcome
        text = str(await self.unknown(guest, name)).encode()
        told = Answer(result=_result(guest, text, error=True))
        return Answered(Allow(outcome.verdict.rule, outcome.verdict.reason), told)

    async def _answered(self, guest: Guest, name: str, outcome: Answered) -> Outcome:
        """A server refuses a call: of a tool it lists, for its own reasons, which come as they are.

        Whoever may use everything of a server reaches it by names that it does not list.
        """
        servers = guest.servers(self.rules(), self.gate.clock())
        indexes, _ = await self._read(guest, servers)
        if _named(indexes, name) is not None:
            return outcome
        text = _unknown(name, await self._closest(indexes, name)).encode()
        told = Answer(result=_result(guest, text, error=True))
        return msgspec.structs.replace(outcome, answer=told)

    async def learn(self, guest: Guest, server: Server, tool: str) -> None:
        """Know which arguments travel in headers: who searches has not listed the tool himself."""
        if self.gate.catalogue.find(server, tool, self.gate.clock()) is None:
            await self.lists.seen(guest, [server], LIST, self.rules().aggregate)

    async def _noted(
        self, guest: Guest, servers: list[Server], request: Request, result: bytes
    ) -> None:
        given = request.params.get("arguments")
        arguments = given if isinstance(given, dict) else {}
        tool = str(request.params["name"])
        await note_tool(self.gate, guest, servers, tool, arguments, result)

    # -- search --------------------------------------------------------------------------------

    async def _search(
        self, guest: Guest, servers: list[Server], request: Request
    ) -> tuple[bytes, bool]:
        wanted = tools.search(request)
        if wanted.server:
            servers = [server for server in servers if server.name == wanted.server]
            if not servers:
                raise Unclear(f"there is no server {wanted.server[:MAX_NAME]!r} here")
        indexes, missing = await self._read(guest, servers)
        steps = ranking.searching(indexes, wanted.query, wanted.limit)
        hits, total = await self.slices.run(steps)
        said: dict[str, Any] = {"tools": [_brief(hit.doc) for hit in hits], "total": total}
        if not hits:
            said["hint"] = "Nothing fits. Try other words, or fewer."
        if missing:
            said["unavailable"] = missing
        return encode(said), True

    async def _read(
        self, guest: Guest, servers: list[Server]
    ) -> tuple[list[Index], dict[str, str]]:
        """What the caller could list, ready to be searched. Raises LedgerError."""
        shares, missing = await self.lists.seen(guest, servers, LIST, self.rules().aggregate)
        return [await self._index(share) for share in shares], missing

    async def _index(self, share: Share) -> Index:
        known = self._indexes.get(share.digest)
        if known is not None:
            return known
        making = self._making.get(share.digest)
        if making is None:  # whoever else wants it meanwhile waits for the same
            work = self._made(share)
            making = self._making[share.digest] = asyncio.get_running_loop().create_task(work)
        return await asyncio.shield(making)

    async def _made(self, share: Share) -> Index:
        try:
            made = await self.slices.run(ranking.indexing(share.items))
        finally:
            del self._making[share.digest]
        self._indexes[share.digest] = made
        self._octets += made.octets
        while len(self._indexes) > KEPT or (self._octets > self.room and len(self._indexes) > 1):
            self._octets -= self._indexes.pop(next(iter(self._indexes))).octets
        return made

    async def _closest(self, indexes: list[Index], name: str) -> list[str]:
        hits, _ = await self.slices.run(ranking.searching(indexes, name[:MAX_NAME], CLOSEST))
        return [hit.doc.name for hit in hits]

    async def close(self) -> None:
        """End what is under way."""
        making = list(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    # -- descriptions --------------------------------------------------------------------------

    async def _describe(
        self, guest: Guest, servers: list[Server], request: Request
    ) -> tuple[bytes, bool]:
        wanted = tools.described(request)
        indexes, missing = await self._read(guest, servers)
        found, unknown, left, size = [], {}, [], 0
        for name in wanted:
            each = _named(indexes, name)
            if each is None:
                unknown[name[:MAX_NAME]] = await self._closest(indexes, name)
            elif size + len(each.text) > MAX_OCTETS:
                left.append(name)
            else:
                found.append(msgspec.Raw(each.text))
                size += len(each.text)
        said: dict[str, Any] = {"tools": found}
        if unknown:
            said["unknown"] = {name: {"did you mean": close} for name, close in unknown.items()}
        if left:
            said["too long"] = left
        if missing:
            said["unavailable"] = missing
        return encode(said), bool(found)


def _named(indexes: list[Index], name: str) -> Doc | None:
    found = (each.docs[n] for each in indexes for n in each.named.get(name.casefold(), ()))
    return next((each for each in found if each.name == name), None)


def _brief(each: Doc) -> dict[str, Any]:
    shown = {"name": each.name}
    if each.title:
        shown["title"] = _cut(each.title, MAX_NAME)
    said: dict[str, Any] = {**shown, "description": _cut(each.description, MAX_SAID)}
    required = [name for name in each.arguments if name in each.required]
    optional = [name for name in each.arguments if name not in each.required]
    said["arguments"] = {"required": _few(required), "optional": _few(optional)}
    hints = {name: each.hints[name] for name in _HINTS if isinstance(each.hints.get(name), bool)}
    return {**said, "annotations": hints} if hints else said


def _few(arguments: list[str]) -> list[str]:
    more = ["…"] if len(arguments) > MAX_ARGUMENTS else []
    return [_cut(each, MAX_NAME) for each in arguments[:MAX_ARGUMENTS]] + more


def _strange(error: bytes | None) -> bool:
    """Whether a server may say with it that it has no such tool."""
    try:
        found = msgspec.json.decode(error or b"{}")
    except UNREADABLE:
        return False
    return isinstance(found, dict) and found.get("code") in NO_SUCH


def _cut(text: str, longest: int) -> str:
    plain = " ".join(text[: longest * 4].split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def _unknown(name: str, closest: list[str]) -> str:
    said = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
    close = f" Similar tools: {', '.join(closest)}." if closest else ""
    return f"Unknown tool: {said}.{close} search_tools finds others."


def _result(guest: Guest, text: bytes, *, error: bool) -> bytes:
    result: dict[str, Any] = {"content": [{"type": "text", "text": text.decode()}]}
    if error:
        result["isError"] = True
    if guest.era is Era.MODERN:
        result["resultType"] = "complete"
    return encode(result)
