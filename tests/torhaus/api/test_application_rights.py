"""Every route that changes something, and the one permission that opens it."""

from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, Hall, access, person, rules
from tests.torhaus.api.counter import Counter, counter, play
from tests.torhaus.cast import run
from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal

ONE = {"email": "new@example.org"}
KEY = {"label": "k", "person": ALICE.email}
STOP = {"kind": "user", "target": BOB.email, "reason": "r"}
ASKED_IN = {"email": "new@example.org", "roles": ["developer"]}
KINDS = ("people", "keys", "stops", "credentials")
HOUSE: dict[str, tuple[str, Any]] = {
    "POST /people": ("people", ONE),
    "PATCH /people/{email}": ("people", {"name": "x"}),
    "POST /people/{email}/suspend": ("people", {}),
    "POST /people/{email}/reinstate": ("people", {}),
    "POST /people/{email}/offboard": ("people", {}),
    "POST /people/{email}/relink": ("people", {}),
    "POST /teams": ("people", {"name": "web"}),
    "PATCH /teams/{name}": ("people", {"roles": []}),
    "POST /teams/{name}/members": ("people", {"members": [BOB.email]}),
    "DELETE /teams/{name}/members/{email}": ("people", None),
    "DELETE /teams/{name}": ("people", None),
    "POST /invitations": ("people", {**ASKED_IN, "link": True}),
    "POST /invitations/{id}/resend": ("people", {}),
    "POST /invitations/{id}/revoke": ("people", {}),
    "POST /keys": ("keys", KEY),
    "DELETE /keys/{id}": ("keys", None),
    "DELETE /sessions/{id}": ("keys", None),
    "POST /stops": ("stops", STOP),
    "DELETE /stops/{id}": ("stops", None),
}
ELSEWHERE = (
    "/access-requests",
    "/approvals",
    "/audit",
    "/cache",
    "/credentials",
    "/explain",
    "/grants",
    "/reset-links",
    "/servers",
)
"""Opened by something else than such a permission alone; each has its test beside its route."""


def holder(kind: str) -> Principal:
    """Somebody who holds one right over the house, and may read on github."""
    house = Access(allows=(Permission("torhaus", kind, "admin", f"holder: {kind}"),))
    phase = Phase(access={**access("github:*:read", "github:*:admin"), "torhaus": house})
    return msgspec.structs.replace(person(f"{kind}-only", "developer"), phases=(phase,))


def held(hall: Hall) -> None:
    hall.rules = rules(*hall.rules.principals.values(), *map(holder, KINDS))


async def status(at: Counter, route: str, who: Principal, body: Any) -> tuple[int, str]:
    method, template = route.split()
    path = template.replace("{email}", ALICE.email).replace("{name}", "x").replace("{id}", "x")
    found = await at.ask(method, f"/api/v1{path}", who, body)
    return found.status, found.text


def test_each_route_is_opened_by_its_permission_and_by_no_other(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        held(at.hall)
        for route, (right, body) in HOUSE.items():
            for kind in KINDS:
                code, text = await status(at, route, holder(kind), body)
                if kind == right:
                    assert code not in (403, 401, 405, 500), (route, kind, text)
                else:
                    assert code == 403, (route, kind, text)
                    assert f"torhaus:{right}:admin" in text, (route, kind, text)

    run(play(tmp_path, story))


def test_every_route_that_changes_something_is_in_the_table(tmp_path: Path) -> None:
    async def story() -> None:
        async with counter(tmp_path) as at:
            schema = (await at.get("openapi.json")).json["paths"]
        found = {
            f"{method.upper()} {path.removeprefix('/api/v1')}"
            for path, methods in schema.items()
            for method in methods
            if method != "get" and not path.removeprefix("/api/v1").startswith(ELSEWHERE)
        }
        assert {each.replace(":path", "") for each in found} == set(HOUSE)

    run(story())
