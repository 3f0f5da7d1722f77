"""`/api/v1/access-requests` and `/api/v1/grants`: temporary access; `/api/v1/me`."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from torhaus.admin.acts import DecideAccess, RequestAccess, RevokeGrant
from torhaus.admin.views import View
from torhaus.api.backstage import MOST, Backstage
from torhaus.api.door import Who
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import AccessDecision, GrantOut, Me, RequestOut, Wish, end_of
from torhaus.model.grant import Asked

Id = Annotated[str, Path(pattern=r"^[\w:.-]{1,64}$", description="Its id.")]
NONE = AccessDecision()


def requests(backstage: Backstage) -> APIRouter:
    routes = APIRouter(prefix="/access-requests", tags=["access"])

    @routes.get("")
    async def list_requests(
        who: Who,
        state: Annotated[Asked | None, Query(description="Only those in this state.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> list[RequestOut]:
        """Yours, and those for roles you administer; the newest first."""
        view = backstage.view(who)
        found = await backstage.books.requests(view, state, limit)
        return [RequestOut.of(each, view) for each in found]

    @routes.get("/{id}")
    async def show_request(id: Id, who: Who) -> RequestOut:
        """One of them."""
        view = backstage.view(who)
        found = await backstage.books.request(view, id)
        if found is None:
            raise ProblemError(404, "not_found", "there is no such request that you may see")
        return RequestOut.of(found, view)

    @routes.post("", status_code=201)
    async def request_access(wish: Wish, who: Who) -> RequestOut:
        """Ask for a role for a while."""
        done = await backstage.act(who, RequestAccess(wish.role, wish.seconds, wish.reason))
        return RequestOut.of(done, backstage.view(who))

    @routes.post("/{id}/approve")
    async def approve(id: Id, who: Who, decision: AccessDecision = NONE) -> RequestOut:
        """Grant the role, from now on."""
        act = DecideAccess(id, True, decision.end(), decision.comment)
        return RequestOut.of(await backstage.act(who, act), backstage.view(who))

    @routes.post("/{id}/deny")
    async def deny(id: Id, who: Who, decision: AccessDecision = NONE) -> RequestOut:
        """Say no."""
        act = DecideAccess(id, False, None, decision.comment)
        return RequestOut.of(await backstage.act(who, act), backstage.view(who))

    return routes


def grants(backstage: Backstage) -> APIRouter:
    routes = APIRouter(prefix="/grants", tags=["access"])

    @routes.get("")
    async def list_grants(
        who: Who, limit: Annotated[int, Query(ge=1, le=MOST)] = 50
    ) -> list[GrantOut]:
        """Temporary access, of the file and of the database: yours, and what you administer."""
        view = backstage.view(who)
        kept = await backstage.books.grants(view, limit)
        listed = [*_of_file(view), *(GrantOut.of(each, view.now) for each in kept)]
        return listed[:limit]

    @routes.delete("/{id}")
    async def revoke(id: Id, who: Who) -> GrantOut:
        """End a grant of the database now; open streams end with it."""
        done = await backstage.act(who, RevokeGrant(id))
        return GrantOut.of(done, backstage.clock())

    return routes


def me(backstage: Backstage) -> APIRouter:
    routes = APIRouter(tags=["me"])

    @routes.get("/me")
    async def who_am_i(who: Who) -> Me:
        """Your roles now, and when they end."""
        view, actor = backstage.view(who), who.principal
        kept = await backstage.books.grants(view, MOST)
        both = [*_of_file(view), *(GrantOut.of(each, view.now) for each in kept)]
        return Me(
            id=actor.id,
            email=actor.email,
            roles=list(actor.roles(view.now)),
            groups=list(actor.groups),
            expires=end_of(actor.expires),
            grants=[each for each in both if view.own(each.user, each.user)],
        )

    return routes


def _of_file(view: View) -> list[GrantOut]:
    """The rules hold both kinds; the file's are named by their line."""
    return [
        GrantOut.of_file(each, view.now)
        for each in view.rules.grants
        if each.id.startswith("file:") and view.grant(each)
    ]
