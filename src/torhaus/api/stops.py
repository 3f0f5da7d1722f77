"""`/api/v1/stops`: the kill switch."""

from typing import Annotated

from fastapi import APIRouter, Path

from torhaus.admin.people.acts import LiftStop, MakeStop
from torhaus.admin.people.books import PeopleBooks
from torhaus.api.backstage import Backstage
from torhaus.api.door import Who
from torhaus.api.person_shapes import NewStop, StopOut, instant

Id = Annotated[str, Path(pattern=r"^[\w:.-]{1,64}$", description="The stop's id.")]


def router(backstage: Backstage, books: PeopleBooks) -> APIRouter:
    routes = APIRouter(prefix="/stops", tags=["stops"])

    @routes.get("")
    async def list_stops(who: Who) -> list[StopOut]:
        """Those you could lift, the newest first; also what is over."""
        now = backstage.clock()
        return [StopOut.of(each, now) for each in await books.stops(who.principal)]

    @routes.post("", status_code=201)
    async def stop(new: NewStop, who: Who) -> StopOut:
        """Stop a person, a key, a server or a tool, from the next call on."""
        act = MakeStop(
            kind=new.kind, target=new.target, reason=new.reason, expires=instant(new.expires)
        )
        return StopOut.of(await backstage.act(who, act), backstage.clock())

    @routes.delete("/{id}")
    async def lift(id: Id, who: Who) -> StopOut:
        """Release what is stopped."""
        return StopOut.of(await backstage.act(who, LiftStop(id)), backstage.clock())

    return routes
