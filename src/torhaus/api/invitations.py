"""`/api/v1/invitations`: people who are asked in."""

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from torhaus.admin.acts import Refusal
from torhaus.admin.inviting.acts import RevokeInvitation
from torhaus.admin.inviting.desk import Asked, Invitations, Wish
from torhaus.api.backstage import Backstage
from torhaus.api.door import Who
from torhaus.api.person_shapes import Roles, Servers, instant
from torhaus.api.problems import refused
from torhaus.api.shapes import Given, Taken, end_of
from torhaus.audit.shape import timestamp
from torhaus.model.accounts import Invitation

WEEK = 7 * 86400.0
Lasts = Annotated[
    float, Field(gt=0, le=90 * 86400, description="Seconds for which the link is good.")
]
Link = Annotated[
    bool, Field(description="Nothing is mailed; the answer has the link, for you to pass on.")
]


class NewInvitation(Taken):
    """Who is asked in, and to what."""

    email: Annotated[str, Field(max_length=320)]
    roles: Roles = ()
    servers: Servers = ()
    message: Annotated[str, Field(max_length=1000, description="Goes into the letter.")] = ""
    lasts: Lasts = WEEK
    access_ends: Annotated[
        AwareDatetime | None, Field(description="When access ends; never without it.")
    ] = None
    link: Link = False


class Again(Taken):
    """Another link; that of before is over."""

    lasts: Lasts = WEEK
    link: Link = False


class InvitationOut(Given):
    """`link` is shown once. `delivery`: what became of the letter."""

    id: str
    email: str
    state: str
    roles: list[str]
    servers: list[str]
    message: str
    access_ends: str | None
    created: str
    created_by: str
    expires: str | None
    delivery: str
    link: str | None

    @classmethod
    def of(cls, made: Invitation, link: str | None = None) -> Self:
        return cls(
            id=made.id,
            email=made.email,
            state=made.state,
            roles=list(made.roles),
            servers=list(made.servers),
            message=made.message,
            access_ends=end_of(made.access_ends),
            created=timestamp(made.created),
            created_by=made.created_by,
            expires=end_of(made.expires),
            delivery=made.delivery,
            link=link,
        )


def router(backstage: Backstage, invitations: Invitations) -> APIRouter:
    routes = APIRouter(prefix="/invitations", tags=["people"])

    @routes.get("")
    async def list_invitations(who: Who) -> list[InvitationOut]:
        """Those who were asked in, the newest first."""
        return [InvitationOut.of(each) for each in await invitations.listed(who.principal)]

    @routes.post("", status_code=201)
    async def invite(new: NewInvitation, who: Who) -> InvitationOut:
        """Ask somebody in; he gets a letter, or you the link."""
        wish = Wish(
            email=new.email,
            roles=new.roles,
            servers=new.servers,
            message=new.message,
            lasts=new.lasts,
            access_ends=instant(new.access_ends),
            link=new.link,
        )
        return _told(await invitations.ask(who.principal, wish, who.ip))

    @routes.post("/{id}/resend")
    async def resend(id: str, who: Who, again: Again) -> InvitationOut:
        """Send another link; that of before is over."""
        found = await invitations.again(who.principal, id, again.lasts, who.ip, link=again.link)
        return _told(found)

    @routes.post("/{id}/revoke")
    async def revoke(id: str, who: Who) -> InvitationOut:
        """Take it back; its link is over."""
        return InvitationOut.of(await backstage.act(who, RevokeInvitation(id)))

    return routes


def _told(found: Asked | Refusal) -> InvitationOut:
    if isinstance(found, Refusal):
        raise refused(found)
    return InvitationOut.of(found.invitation, found.link)
