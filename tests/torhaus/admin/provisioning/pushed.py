"""A source of provisioning, and what it pushes."""

from typing import Any

import msgspec

from tests.torhaus.admin.hall import Hall
from torhaus.admin.people.works import PEOPLE_WORKS
from torhaus.admin.perform import Admin
from torhaus.admin.provisioning.acts import ProvisionGroup, ProvisionUser
from torhaus.admin.provisioning.works import PROVISIONING_WORKS
from torhaus.model.people import Principal
from torhaus.model.person import Person
from torhaus.model.providers import Gains, Terms
from torhaus.model.provisioning import GROUP, USER, Provisioned, ScimSource

ERIN = "erin@company.local"
OKTA = ScimSource(
    name="okta",
    digests=(b"d",),
    terms=Terms(
        groups={
            "Devs": Gains(roles=("developer",), groups=("builders",)),
            "Leads": Gains(roles=("tech_lead",)),
            "Admins": Gains(roles=("admin",)),
            "ext-1": Gains(roles=("on_call",)),
        }
    ),
)
PUSHER = Principal(id="scim:okta", email="scim:okta")


def user(id: str = "u1", email: str | None = ERIN, **more: Any) -> Provisioned:
    document = {"userName": email or id, "displayName": "Erin", **more}
    return _made(id, USER, document, email)


def group(name: str = "Devs", *members: str, id: str = "g1", external: str | None = None) -> Any:
    document = {"displayName": name, "members": [{"value": each} for each in members]}
    made = _made(id, GROUP, document, None)
    return msgspec.structs.replace(made, external_id=external)


def _made(id: str, kind: str, document: Any, email: str | None) -> Provisioned:
    return Provisioned(
        id=id,
        kind=kind,
        source="okta",
        name=str(document.get("userName") or document["displayName"]).lower(),
        email=email,
        document=msgspec.json.encode(document).decode(),
    )


def pushing(hall: Hall) -> None:
    """The hall's one door, for sources too."""
    works = {**PEOPLE_WORKS, **PROVISIONING_WORKS}
    hall.admin = Admin(hall.means, hall.happened, works)


async def push(hall: Hall, made: Provisioned, before: Provisioned | None = None) -> Any:
    act: Any = ProvisionUser(source=OKTA, user=made, before=before)
    if made.kind == GROUP:
        act = ProvisionGroup(source=OKTA, group=made, before=before)
    return await hall.done(PUSHER, act)


async def here(hall: Hall, email: str = ERIN) -> Person | None:
    async with hall.office.read() as desk:
        return await desk.persons.get(email)
