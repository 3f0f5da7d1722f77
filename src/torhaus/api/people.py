"""`/api/v1/people`: people and service accounts, and how their access ends."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from torhaus.admin.people.acts import (
    AddPerson,
    ChangePerson,
    OffboardPerson,
    ReinstatePerson,
    SuspendPerson,
)
from torhaus.admin.people.books import PeopleBooks
from torhaus.admin.signin.acts import RelinkPerson
from torhaus.api.backstage import MOST, Backstage
from torhaus.api.door import Who
from torhaus.api.person_shapes import (
    Ending,
    NewPerson,
    PersonChange,
    PersonDone,
    PersonOut,
    Relinking,
    instant,
)
from torhaus.api.problems import ProblemError
from torhaus.model.person import PersonState

Email = Annotated[str, Path(max_length=320, pattern=r"^[^\s/@]+@[^\s/@]+$")]
NO_REASON = Ending()
ANY_ACCOUNT = Relinking()


def router(backstage: Backstage, books: PeopleBooks) -> APIRouter:
    routes = APIRouter(prefix="/people", tags=["people"])

    @routes.get("")
    async def list_people(
        who: Who,
        state: Annotated[PersonState | None, Query(description="Only those in this state.")] = None,
        after: Annotated[str, Query(max_length=320, description="The last address before.")] = "",
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> list[PersonOut]:
        """People of the file and of the database, by address; yourself without the right."""
        found = await books.people(who.principal, state, after, limit)
        return [PersonOut.of(each) for each in found]

    @routes.get("/{email}")
    async def show_person(email: Email, who: Who) -> PersonOut:
        """One of them."""
        found = await books.person(who.principal, email.lower())
        if found is None:
            raise ProblemError(404, "not_found", "there is nobody with this address for you to see")
        return PersonOut.of(found)

    _changes(routes, backstage)
    _endings(routes, backstage)
    return routes


def _changes(routes: APIRouter, backstage: Backstage) -> None:
    @routes.post("", status_code=201)
    async def add_person(new: NewPerson, who: Who) -> PersonDone:
        """Add somebody to the database."""
        act = AddPerson(
            email=new.email,
            kind=new.kind,
            name=new.name,
            roles=new.roles,
            servers=new.servers,
            expires=instant(new.expires),
            responsible=new.responsible,
        )
        return PersonDone.of(await backstage.act(who, act))

    @routes.patch("/{email}")
    async def change_person(email: Email, change: PersonChange, who: Who) -> PersonDone:
        """Change name, roles, servers or the end of somebody of the database."""
        act = ChangePerson(
            email=email,
            name=change.name,
            roles=change.roles,
            servers=change.servers,
            expires=instant(change.expires),
            forever=change.forever,
            responsible=change.responsible,
        )
        return PersonDone.of(await backstage.act(who, act))


def _endings(routes: APIRouter, backstage: Backstage) -> None:
    @routes.post("/{email}/suspend")
    async def suspend(email: Email, who: Who, why: Ending = NO_REASON) -> PersonDone:
        """No more calls until somebody is reinstated; sessions and tokens end now."""
        act = SuspendPerson(email, why.reason, why.hand_to)
        return PersonDone.ended(await backstage.act(who, act))

    @routes.post("/{email}/reinstate")
    async def reinstate(email: Email, who: Who) -> PersonDone:
        """Let somebody in again."""
        return PersonDone.ended(await backstage.act(who, ReinstatePerson(email)))

    @routes.post("/{email}/relink")
    async def relink(email: Email, who: Who, to: Relinking = ANY_ACCOUNT) -> PersonDone:
        """Another account at an identity provider is somebody's from his next sign-in on."""
        return PersonDone.ended(await backstage.act(who, RelinkPerson(email, to.provider)))

    @routes.post("/{email}/offboard")
    async def offboard(email: Email, who: Who, why: Ending = NO_REASON) -> PersonDone:
        """Everything that came of somebody's access ends now, for good."""
        act = OffboardPerson(email, why.reason, why.hand_to)
        return PersonDone.ended(await backstage.act(who, act))
