"""A team of the database with people in it."""

from typing import Any

import msgspec

from tests.torhaus.admin.hall import DANA, Hall
from tests.torhaus.admin.people.staff import ERIN, hired, opened, stewards
from torhaus.admin.teams.acts import MakeTeam, Manned
from torhaus.model.person import DATABASE, FILE, Membership, Person, Team
from torhaus.model.providers import Gains, Terms
from torhaus.model.provisioning import GROUP, Provisioned, ScimSource

FRANK = "frank@example.org"
LEADS = "leads"
FILED = Team(name="ops", owner=FILE, roles=("developer",))
OKTA = ScimSource(
    name="okta",
    digests=(),
    terms=Terms(
        groups={"Night Shift": Gains(roles=("on_call",), groups=("ops",))},
        everyone=Gains(roles=("developer",)),
    ),
)


async def crew(hall: Hall, **more: Any) -> Manned:
    """Erin leads; Frank is here too. The file has the group `ops`, Okta pushes the night shift."""
    await hired(hall)
    await hired(hall, FRANK)
    stewards(hall)
    opened(hall)
    hall.rules = msgspec.structs.replace(
        hall.rules, teams=(FILED,), groups={"ops": ("alice@example.org",)}, scim=(OKTA,)
    )
    async with hall.office.write() as desk:
        await desk.provisioned.add(pushed())
    act = {"name": LEADS, "roles": ("tech_lead",), "members": (ERIN,), **more}
    made: Manned = await hall.done(DANA, MakeTeam(**act))
    return made


def pushed(*members: str) -> Provisioned:
    document = {"displayName": "Night Shift", "members": [{"value": each} for each in members]}
    return Provisioned(
        id="g1",
        kind=GROUP,
        source="okta",
        name="night shift",
        document=msgspec.json.encode(document).decode(),
    )


def member(email: str = ERIN, team: str = LEADS) -> Membership:
    return Membership(team, email, DATABASE)


async def within(hall: Hall, name: str = LEADS) -> list[str]:
    async with hall.office.read() as desk:
        return [each.email for each in await desk.teams.within(name)]


async def put(hall: Hall, **more: Any) -> None:
    async with hall.office.write() as desk:
        await desk.persons.put(Person(**more))
