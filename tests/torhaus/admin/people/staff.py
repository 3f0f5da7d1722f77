"""People of the database for the tests of this room."""

from hashlib import sha256
from typing import Any

import msgspec

from tests.torhaus.admin.hall import DANA, Hall, access, person, rules
from tests.torhaus.asked import server
from torhaus.admin.people.acts import AddPerson, MakeKey
from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal
from torhaus.model.person import Person

ERIN = "erin@example.org"


def stewards(hall: Hall) -> None:
    """People who hold one right over the house each, besides the role developer."""
    found = [steward(kind) for kind in ("people", "keys", "stops")]
    hall.rules = rules(*hall.rules.principals.values(), *found)


def steward(kind: str) -> Principal:
    own = access("github:*:read", "github:*:admin")
    house = Access(allows=(Permission("torhaus", kind, "admin", f"steward: {kind}"),))
    phase = Phase(roles=("developer",), access={**own, "torhaus": house})
    return msgspec.structs.replace(person(f"{kind}-admin", "developer"), phases=(phase,))


def opened(hall: Hall) -> None:
    """Servers that can be stopped."""
    servers = {name: server(name) for name in ("github", "jira")}
    hall.rules = msgspec.structs.replace(hall.rules, servers=servers)


async def hired(hall: Hall, email: str = ERIN, *roles: str, **more: Any) -> Person:
    """Somebody of the database, who may call."""
    act = AddPerson(email=email, roles=roles or ("developer",), **more)
    made: Person = await hall.done(DANA, act)
    name = email.partition("@")[0]
    hall.rules = rules(*hall.rules.principals.values(), person(name, (roles or ("developer",))[0]))
    return made


async def keyed(hall: Hall, email: str = ERIN, name: str = "k", **more: Any) -> Any:
    digest = sha256(name.encode()).digest()
    return await hall.done(DANA, MakeKey(email=email, digest=digest, label=name, **more))
