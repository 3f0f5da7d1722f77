"""`/approvals/{id}`: where a signed link leads. GET shows the call, POST decides it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from torhaus.admin.acts import DecideApproval, Refusal
from torhaus.admin.links import DecisionLinks, SealError
from torhaus.admin.perform import Admin
from torhaus.admin.views import Books
from torhaus.identity.credentials import Unclear, credential
from torhaus.model.approval import Approval, State
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.rules import Rules
from torhaus.web.approval_page import (
    DONE,
    DOWN,
    NO_FORM,
    NO_KEY,
    NO_LINK,
    NO_LINK_TEXT,
    TITLE,
    context,
)
from torhaus.web.forms import fields
from torhaus.web.render import Pages
from torhaus.web.session import Sessions, SignedIn

STATUS = {"not_found": 404, "not_allowed": 403, "conflict": 409, "invalid": 422}
CHOICES = {"approve": True, "deny": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """`clock`: Unix seconds. `known`: whose key this is, if he may administer with it now."""

    admin: Admin
    books: Books
    links: DecisionLinks
    rules: Callable[[], Rules]
    clock: Callable[[], float]
    pages: Pages
    known: Callable[[bytes], Principal | None]
    sessions: Sessions | None = None
    """Whoever has signed in in the browser needs no key."""

    async def page(self, request: Request) -> Response:
        id, token = request.path_params["id"], request.query_params.get("t", "")
        try:
            self.links.check(id, token, self.clock())
            approval = await self.books.shown(id)
        except SealError:
            approval = None
        except StateError:
            return self.pages.message(request, 503, NO_LINK, DOWN)
        if approval is None:
            return self.pages.message(request, 404, NO_LINK, NO_LINK_TEXT)
        if request.method == "POST":
            return await self._decide(request, approval, token)
        return await self._shown(request, approval, token)

    async def _signed_in(self, request: Request) -> SignedIn | None:
        return None if self.sessions is None else await self.sessions.who(request.scope)

    async def _shown(
        self, request: Request, approval: Approval, token: str, status: int = 200, said: str = ""
    ) -> Response:
        form = None
        if approval.state is State.PENDING and approval.expires > self.clock():
            form = self.links.form(approval.id, token, approval.expires)
        shown = context(approval, form=form, said=said)
        who = await self._signed_in(request)
        way_in = "" if self.sessions is None else self.sessions.way_in(request)
        csrf = "" if who is None else who.csrf
        frame: dict[str, Any] = {"who": who, "token": csrf, "way_in": way_in}
        return self.pages.show(request, "approval.html", status, **frame, **shown)

    async def _decide(self, request: Request, approval: Approval, token: str) -> Response:
        posted = await fields(request)
        choice = CHOICES.get(posted.get("decision", ""))
        try:
            form = posted.get("form", "")
            self.links.check_form(approval.id, token, form, self.clock())
        except SealError:
            choice = None
        if choice is None:
            return await self._shown(request, approval, token, 400, NO_FORM)
        actor = await self._who(request, posted)
        if actor is None:
            return await self._shown(request, approval, token, 401, NO_KEY)
        act = DecideApproval(approval.id, choice, posted.get("comment", ""))
        ip = request.client.host if request.client is not None else ""
        try:
            done = await self.admin.perform(actor, act, ip)
        except (StateError, LedgerError):
            return await self._shown(request, approval, token, 503, DOWN)
        if isinstance(done, Refusal):
            return await self._shown(request, approval, token, STATUS[done.code], done.reason)
        return self.pages.message(request, 200, TITLE, DONE[done.result.state])

    async def _who(self, request: Request, posted: Mapping[str, str]) -> Principal | None:
        """By the key in the form, or who has signed in, or a header's key. Never anonymous."""
        typed = posted.get("key", "").strip()
        signed = None if typed else await self._signed_in(request)
        if signed is not None and self.sessions is not None:
            return signed.principal if self.sessions.own(signed, posted) else None
        found = typed.encode() if typed else credential(request.headers.raw)
        if found is None or isinstance(found, Unclear):
            return None
        return self.known(found)
