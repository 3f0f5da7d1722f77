"""`/approvals/{id}`: where a signed link leads. GET shows the call, POST decides it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from torhaus.admin.acts import DecideApproval, Refusal
from torhaus.admin.links import DecisionLinks, SealError
from torhaus.admin.perform import Admin
from torhaus.admin.views import Books
from torhaus.identity.credentials import Unclear, credential
from torhaus.identity.identify import by_key
from torhaus.model.approval import Approval, State
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.rules import Rules
from torhaus.web.approval_page import SAFE, broken, decided, decision
from torhaus.web.approval_words import Words, words

MAX_BODY = 16 * 1024
MAX_FIELDS = 10
FORM_TYPE = "application/x-www-form-urlencoded"
STATUS = {"not_found": 404, "not_allowed": 403, "conflict": 409, "invalid": 422}
CHOICES = {"approve": True, "deny": False}

Look = Callable[[Mapping[str, Any]], tuple[int, str] | None]
"""Host, origin and transport of an ASGI scope: status and reason of a refusal, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """`clock`: Unix seconds."""

    admin: Admin
    books: Books
    links: DecisionLinks
    rules: Callable[[], Rules]
    clock: Callable[[], float]
    look: Look

    async def page(self, request: Request) -> Response:
        said = words(request.headers.get("accept-language", ""))
        refused = self.look(request.scope)
        if refused is not None:
            return _html(broken(said, refused[1]), refused[0])
        id, token = request.path_params["id"], request.query_params.get("t", "")
        try:
            self.links.check(id, token, self.clock())
            approval = await self.books.shown(id)
        except SealError:
            approval = None
        except StateError:
            return _html(broken(said, said["down"]), 503)
        if approval is None:
            return _html(broken(said), 404)
        if request.method == "POST":
            return await self._decide(request, approval, token, said)
        return _html(self._shown(approval, token, said))

    def _shown(self, approval: Approval, token: str, said: Words, why: str = "") -> str:
        form = None
        if approval.state is State.PENDING and approval.expires > self.clock():
            form = self.links.form(approval.id, token, approval.expires)
        return decision(approval, said, form=form, said=why)

    async def _decide(
        self, request: Request, approval: Approval, token: str, said: Words
    ) -> Response:
        fields = await _fields(request)
        choice = CHOICES.get(fields.get("decision", ""))
        try:
            form = fields.get("form", "")
            self.links.check_form(approval.id, token, form, self.clock())
        except SealError:
            return _html(self._shown(approval, token, said, said["no_form"]), 400)
        if choice is None:
            return _html(self._shown(approval, token, said, said["no_form"]), 400)
        actor = self._who(request, fields)
        if actor is None:
            return _html(self._shown(approval, token, said, said["no_key"]), 401)
        act = DecideApproval(approval.id, choice, fields.get("comment", ""))
        ip = request.client.host if request.client is not None else ""
        try:
            done = await self.admin.perform(actor, act, ip)
        except (StateError, LedgerError):
            return _html(self._shown(approval, token, said, said["down"]), 503)
        if isinstance(done, Refusal):
            return _html(self._shown(approval, token, said, done.reason), STATUS[done.code])
        return _html(decided(done.result.state, said))

    def _who(self, request: Request, fields: Mapping[str, str]) -> Principal | None:
        """By the key in the form, or else in a header. Never anonymous."""
        typed = fields.get("key", "").strip()
        found = typed.encode() if typed else credential(request.headers.raw)
        if found is None or isinstance(found, Unclear):
            return None
        return by_key(self.rules(), found)


async def _fields(request: Request) -> dict[str, str]:
    """The form's fields; none where it is too large or not a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        return {}
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return {}
    except ClientDisconnect:
        return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return {}


def _html(page: str, status: int = 200) -> Response:
    return HTMLResponse(page, status_code=status, headers=SAFE)
