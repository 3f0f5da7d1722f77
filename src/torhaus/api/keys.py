"""`/api/v1/keys` and `/api/v1/sessions`: what people prove themselves with."""

import os
from typing import Annotated

from fastapi import APIRouter, Path, Query

from torhaus.admin.people.acts import EndFamily, MakeKey, RevokeKey
from torhaus.admin.people.books import PeopleBooks
from torhaus.api.backstage import MOST, Backstage
from torhaus.api.door import Who
from torhaus.api.person_shapes import KeyMade, KeyOut, NewKey, SessionOut, instant
from torhaus.identity.keys import RANDOM_BYTES, digest, mint
from torhaus.model.credentials import Kept

Id = Annotated[str, Path(pattern=r"^[\w:.-]{1,64}$", description="Its id.")]
Whose = Annotated[str, Query(max_length=320, description="Whose; yours without it.")]


def keys(backstage: Backstage, books: PeopleBooks) -> APIRouter:
    routes = APIRouter(prefix="/keys", tags=["keys"])

    @routes.get("")
    async def list_keys(
        who: Who, person: Whose = "", limit: Annotated[int, Query(ge=1, le=MOST)] = 50
    ) -> list[KeyOut]:
        """Keys of the database; those of the file stand in the file. `person=*`: everybody's."""
        email = "" if person == "*" else person.lower() or who.principal.email
        return [KeyOut.of(each) for each in await books.keys(who.principal, email, limit)]

    @routes.post("", status_code=201)
    async def make_key(new: NewKey, who: Who) -> KeyMade:
        """Make a key. It is in this answer, and nowhere else."""
        key = mint(os.urandom(RANDOM_BYTES))
        act = MakeKey(
            email=new.person or who.principal.email,
            digest=digest(key),
            label=new.label,
            scopes=new.scopes,
            audience=new.server,
            expires=instant(new.expires),
            ip=who.ip,
        )
        return KeyMade.of(await backstage.act(who, act), key)

    @routes.delete("/{id}")
    async def revoke_key(id: Id, who: Who) -> KeyOut:
        """End a key, or an access token, now; streams and calls end with it."""
        ended = await backstage.act(who, RevokeKey(id))
        now, by = backstage.clock(), who.principal.email
        return KeyOut.of(Kept(credential=ended, ended=now, ended_by=by))

    return routes


def sessions(backstage: Backstage, books: PeopleBooks) -> APIRouter:
    routes = APIRouter(prefix="/sessions", tags=["keys"])

    @routes.get("")
    async def list_sessions(
        who: Who, person: Whose = "", limit: Annotated[int, Query(ge=1, le=MOST)] = 50
    ) -> list[SessionOut]:
        """Open browser sessions, and clients that were let in."""
        email = person.lower() or who.principal.email
        return [SessionOut.of(each) for each in await books.families(who.principal, email, limit)]

    @routes.delete("/{id}")
    async def end_session(id: Id, who: Who) -> SessionOut:
        """End it now, with every token that came of it."""
        return SessionOut.of(await backstage.act(who, EndFamily(id)))

    return routes
