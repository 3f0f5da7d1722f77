"""`/scim/v2` as one ASGI application."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from torhaus.api.door import SAFE
from torhaus.api.scim.answers import PLACES, listed, location, only, problem, resource, said
from torhaus.api.scim.door import ScimDoor
from torhaus.api.scim.queries import query, texts
from torhaus.api.scim.resources import Resources, Sender
from torhaus.identity.scim.attributes import Document, Kind
from torhaus.identity.scim.problem import ScimError
from torhaus.model.ports import LedgerError, StateError

log = structlog.get_logger()

PREFIX = "/scim/v2"
MAX_BODY = 4 * 1024 * 1024
KINDS = {place.lower(): kind for kind, place in PLACES.items()}
DESCRIBED = "torhaus.api.scim.documents"
SEARCHED = {
    ".search": tuple(Kind),
    **{f"{place}/.search": (kind,) for place, kind in KINDS.items()},
}
ELSEWHERE = frozenset(("bulk", "me"))


class ScimApplication:
    """`origin`: where we are reached from outside; None where the request says it."""

    def __init__(
        self, door: ScimDoor, resources: Resources, origin: Callable[[], str | None]
    ) -> None:
        self._door = door
        self._resources = resources
        self._origin = origin
        self._described: dict[str, dict[str, Document]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            sender = self._door.admit(scope)
            answer = await self._answer(request, sender)
        except ScimError as error:
            answer = problem(error, _more(error))
        except (StateError, LedgerError) as error:
            answer = problem(ScimError(503, str(error)))
        except Exception:  # the last line: what went wrong stays in the log
            log.exception("scim.bug")
            answer = problem(ScimError(500, "something went wrong; the gateway's log knows more"))
        for name, value in SAFE:
            answer.headers[name.decode()] = value.decode()
        await answer(scope, receive, send)

    async def _answer(self, request: Request, sender: Sender) -> Response:
        path = request.url.path.removeprefix(PREFIX).strip("/")
        place, _, id = path.partition("/")
        kind = KINDS.get(place.lower())
        if place.lower() in ELSEWHERE:
            raise ScimError(501, "there is none of this here: see ServiceProviderConfig")
        if path.lower() in SEARCHED:
            return await self._search(request, sender, SEARCHED[path.lower()])
        if kind is None:
            return await self._describe(request, path)
        if id:
            return await self._one(request, sender, kind, id)
        return await self._all(request, sender, kind)

    async def _describe(self, request: Request, path: str) -> Response:
        base = self._base(request)
        if base not in self._described:
            documents = await asyncio.to_thread(import_module, DESCRIBED)
            self._described = {base: documents.everything(base)}
        found = self._described[base].get(path)
        if found is None:
            raise ScimError(404, "there is nothing here: see ResourceTypes")
        if request.method != "GET":
            raise ScimError(405, "this can only be read")
        if "filter" in request.query_params:
            raise ScimError(403, "nothing can be looked for here")
        return said(200, found)

    async def _all(self, request: Request, sender: Sender, kind: Kind) -> Response:
        base = self._base(request)
        if request.method == "GET":
            asked = query(sender.source.name, kind, request.query_params)
            total, found = await self._resources.page(asked)
            shown = [self._shown(request, resource(each, base)) for each in found]
            return said(200, listed(shown, total, asked.start + 1))
        if request.method != "POST":
            raise ScimError(405, "use GET or POST")
        made = await self._resources.make(sender, kind, await _body(request))
        where = {"location": location(kind, made.id, base)}
        return said(201, self._shown(request, resource(made, base)), where)

    async def _search(self, request: Request, sender: Sender, kinds: tuple[Kind, ...]) -> Response:
        """A query whose words come in the body. Several kinds: one after the other."""
        if request.method != "POST":
            raise ScimError(405, "use POST")
        base = self._base(request)
        words = texts(await _body(request))
        shown: list[Document] = []
        total = 0
        first = query(sender.source.name, kinds[0], words)
        for kind in kinds:
            asked = query(sender.source.name, kind, words)
            start, most = max(0, asked.start - total), asked.most - len(shown)
            at = msgspec.structs.replace(asked, start=start, most=most)
            count, found = await self._resources.page(at)
            total += count
            named = (words.get("attributes"), words.get("excludedAttributes"))
            shown += [only(resource(each, base), *named) for each in found]
        return said(200, listed(shown, total, first.start + 1))

    async def _one(self, request: Request, sender: Sender, kind: Kind, id: str) -> Response:
        match request.method:
            case "GET":
                found = await self._resources.get(sender, kind, id)
            case "PUT":
                found = await self._resources.replace(sender, kind, id, await _body(request))
            case "PATCH":
                found = await self._resources.patch(sender, kind, id, await _body(request))
            case "DELETE":
                await self._resources.remove(sender, kind, id)
                return Response(status_code=204)
            case _:
                raise ScimError(405, "use GET, PUT, PATCH or DELETE")
        return said(200, self._shown(request, resource(found, self._base(request))))

    def _shown(self, request: Request, found: Document) -> Document:
        asked = request.query_params
        return only(found, asked.get("attributes"), asked.get("excludedAttributes"))

    def _base(self, request: Request) -> str:
        origin = self._origin() or f"{request.url.scheme}://{request.url.netloc}"
        return f"{origin}{PREFIX}"


def beside(scim: ASGIApp, api: ASGIApp) -> ASGIApp:
    """Both, by the beginning of the path."""

    async def entered(scope: Scope, receive: Receive, send: Send) -> None:
        await (scim if scope["path"].startswith(PREFIX) else api)(scope, receive, send)

    return entered


async def _body(request: Request) -> dict[str, Any]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ScimError(413, f"the body is larger than {MAX_BODY} bytes", "tooMany")
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ScimError(400, "the body is not JSON", "invalidSyntax") from error
    if not isinstance(found, dict):
        raise ScimError(400, "the body is an object", "invalidSyntax")
    return found


def _more(error: ScimError) -> dict[str, str]:
    if error.status == 401:
        return {"www-authenticate": "Bearer"}
    return {"retry-after": "10"} if error.status == 429 else {}
