"""Every route of the API and whom it opens to, asked at a running gateway.

A route that is not in the table fails the test: whoever adds one says who may use it.
"""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.stories.caller import Caller
from tests.stories.consent import NOTE, pending
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within

BASE = "/api/v1"
HOLDS: dict[str, list[str]] = {
    "reader": ["*:read"],
    "server": ["scripted:*"],
    "people": ["torhaus:people:admin", "scripted:*"],
    "keys": ["torhaus:keys:admin", "scripted:*"],
    "stops": ["torhaus:stops:admin", "*:read"],
    "credentials": ["torhaus:credentials:admin", "*:read"],
    "audit": ["torhaus:audit:read"],
    "governor": ["*:admin"],
    "all": ["*"],
}
"""Who there is, by what he holds. Who holds all of `scripted` can give the role `server`."""
EVERYBODY = frozenset(HOLDS)
HERE = frozenset(("server", "people", "keys", "governor", "all"))
"""Administrators of the server `scripted`."""
GIVERS = HERE - {"governor"}
ALL = frozenset(("all",))
GOVERNORS = frozenset(("governor", "all"))
NOTHING = "nobody@example.org"
numbers = count(1)


def holds(*kinds: str) -> frozenset[str]:
    return frozenset((*kinds, "all"))


PEOPLE, KEYS, STOPS, AUDIT = holds("people"), holds("keys"), holds("stops"), holds("audit")
LOOKS = AUDIT | {"governor"}
KEEPERS = HERE | {"credentials"}
DAYS = {"first_day": "2026-01-01", "last_day": "2026-01-02"}
LOOKED = {"digest": "0" * 64}


@dataclass(frozen=True)
class Row:
    """`opens`: for whom. `body`: what is sent. `of`: makes what it is about, anew for each try.

    `shut`: what the others are told.
    """

    opens: frozenset[str]
    body: Any = None
    of: str = ""
    shut: int = 403


TABLE: dict[str, Row] = {
    "GET /me": Row(EVERYBODY),
    "GET /me/limits": Row(EVERYBODY),
    "GET /approvals": Row(EVERYBODY),
    "GET /approvals/{id}": Row(HERE, of="approval", shut=404),
    "POST /approvals/{id}/approve": Row(frozenset(("server",)), {}, of="approval"),
    "POST /approvals/{id}/deny": Row(frozenset(("server",)), {}, of="approval"),
    "POST /approvals/{id}/cancel": Row(HERE, of="approval"),
    "GET /access-requests": Row(EVERYBODY),
    "POST /access-requests": Row(EVERYBODY, {"role": "spare", "seconds": 3600, "reason": "r"}),
    "GET /access-requests/{id}": Row(HERE, of="request", shut=404),
    "POST /access-requests/{id}/approve": Row(GIVERS, {}, of="request"),
    "POST /access-requests/{id}/deny": Row(HERE, {}, of="request"),
    "GET /grants": Row(EVERYBODY),
    "DELETE /grants/{id}": Row(HERE, of="grant"),
    "GET /servers": Row(HERE),
    "GET /servers/{server}/tools": Row(HERE),
    "GET /servers/{server}/tools/{name}/diff": Row(HERE),
    "POST /servers/{server}/tools/{name}/accept": Row(HERE, LOOKED),
    "POST /servers/{server}/tools/{name}/reject": Row(HERE, LOOKED),
    "GET /cache": Row(HERE),
    "GET /cache/{server}": Row(HERE),
    "DELETE /cache/{server}": Row(HERE),
    "DELETE /cache/{server}/{tool}": Row(HERE),
    "GET /cost": Row(EVERYBODY),
    "GET /credentials": Row(EVERYBODY),
    "POST /credentials/rekey": Row(GOVERNORS | {"credentials"}),
    "POST /credentials/{server}": Row(KEEPERS, {"kind": "bearer", "secret": "s"}),
    "POST /credentials/{server}/rotate": Row(KEEPERS, {"secret": "s"}),
    "POST /credentials/{server}/rollback": Row(KEEPERS),
    "DELETE /credentials/{server}": Row(KEEPERS),
    "GET /people": Row(EVERYBODY),
    "GET /people/{email}": Row(PEOPLE, of="spare", shut=404),
    "POST /people": Row(PEOPLE, {"email": "new@example.org"}),
    "PATCH /people/{email}": Row(PEOPLE, {"name": "x"}),
    "POST /people/{email}/suspend": Row(PEOPLE, {}),
    "POST /people/{email}/reinstate": Row(PEOPLE, {}),
    "POST /people/{email}/relink": Row(PEOPLE, {}),
    "POST /people/{email}/offboard": Row(PEOPLE, {}),
    "GET /teams": Row(EVERYBODY),
    "GET /teams/{name}": Row(PEOPLE, of="team", shut=404),
    "POST /teams": Row(PEOPLE, {"name": "web"}),
    "PATCH /teams/{name}": Row(PEOPLE, {"roles": []}),
    "DELETE /teams/{name}": Row(PEOPLE),
    "POST /teams/{name}/members": Row(PEOPLE, {"members": ["reader@example.com"]}),
    "DELETE /teams/{name}/members/{email}": Row(PEOPLE),
    "GET /invitations": Row(EVERYBODY),
    "POST /invitations": Row(PEOPLE, {"email": "in@x.org", "roles": ["server"], "link": True}),
    "POST /invitations/{id}/resend": Row(PEOPLE, {"link": True}, of="invitation"),
    "POST /invitations/{id}/revoke": Row(PEOPLE, of="invitation"),
    "GET /keys": Row(EVERYBODY),
    "POST /keys": Row(KEYS, {"label": "k", "person": "asker@example.com"}),
    "DELETE /keys/{id}": Row(KEYS, of="key"),
    "GET /sessions": Row(EVERYBODY),
    "DELETE /sessions/{id}": Row(KEYS),
    "GET /stops": Row(EVERYBODY),
    "POST /stops": Row(STOPS, {"kind": "user", "target": "spare@example.com", "reason": "r"}),
    "DELETE /stops/{id}": Row(STOPS, of="stop"),
    "POST /explain": Row(PEOPLE, {"user": "asker@example.com", "server": "scripted", "tool": "x"}),
    "POST /reset-links": Row(ALL, {"email": "all@example.com"}),
    "GET /audit": Row(AUDIT),
    "POST /audit": Row(AUDIT, {"sql": "SELECT 1"}),
    "GET /audit/queries": Row(AUDIT),
    "GET /audit/tiers": Row(LOOKS),
    "GET /audit/holds": Row(LOOKS),
    "POST /audit/holds": Row(GOVERNORS, {**DAYS, "why": "w"}),
    "POST /audit/holds/{id}/release": Row(GOVERNORS, {"why": "w"}),
    "GET /audit/restores": Row(LOOKS),
    "POST /audit/restores": Row(GOVERNORS, {**DAYS, "days": 1}),
}
LISTS: dict[str, tuple[str, frozenset[str]]] = {
    "/approvals": ("approval", HERE),
    "/access-requests": ("request", HERE),
    "/grants": ("grant", HERE),
    "/people?after=s": ("spare", PEOPLE),
    "/teams": ("team", PEOPLE),
    "/invitations": ("invitation", PEOPLE),
    "/keys?person=*": ("key", KEYS),
    "/stops": ("stop", STOPS),
}
"""Lists open to everybody, each with less for others: who sees what another has made there."""


@pytest.fixture(scope="module")
def town(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home: Path = tmp_path_factory.mktemp("permissions")
    more = {"asker": ["scripted:*"], "spare": []}
    config = {
        "roles": {each: {"permissions": held} for each, held in {**HOLDS, **more}.items()},
        "users": [
            {"email": f"{each}@example.com", "role": each, "api_keys": [key(each)]}
            for each in (*HOLDS, *more)
        ],
        "policies": [
            {
                "name": "four eyes",
                "applies_to": [{"role": "asker"}, {"actions": ["write"]}],
                "action": "require_approval",
                "approvers": ["server"],
            }
        ],
        "approvals": {"hold": "0s"},
        "mcpServers": {"scripted": server(upstream.url), "other": server(upstream.url)},
    }
    with Town(config, home) as made:
        yield made


def key(who: str) -> str:
    return f"{who}-key-0a5c5b1e9d8f4a47"


def ask(town: Town, method: str, path: str, who: str, body: Any = None) -> tuple[int, Any]:
    headers = {"authorization": f"Bearer {key(who)}"} if who else {}
    if body is not None:
        headers["content-type"] = "application/json"
    with closing(http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)) as line:
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())


def made(town: Town, path: str, body: Any, by: str = "all") -> Any:
    status, found = ask(town, "POST", f"{BASE}{path}", by, body)
    assert status in (200, 201), found
    return found


def approval(town: Town) -> str:
    """A call of the asker that waits for somebody of the role `server`."""
    with Caller(town.port, key("asker"), "scripted") as caller:
        return pending(caller.tool("create_note", {**NOTE, "title": f"n{next(numbers)}"})).id


def request(town: Town) -> str:
    """The asker wants the role `server`; he has no other that waits."""
    _, waiting = ask(town, "GET", f"{BASE}/access-requests?state=pending", "asker")
    for each in waiting:
        ask(town, "POST", f"{BASE}/access-requests/{each['id']}/deny", "all", {})
    for each in ask(town, "GET", f"{BASE}/grants", "asker")[1]:
        ask(town, "DELETE", f"{BASE}/grants/{each['id']}", "all")
    wish = {"role": "server", "seconds": 3600, "reason": "r"}
    found: list[Any] = []

    def taken() -> bool:
        found[:] = ask(town, "POST", f"{BASE}/access-requests", "asker", wish)
        return bool(found[0] == 201)  # what he had until now is over at once, and soon forgotten

    assert within(60, taken), found
    return str(found[1]["id"])


def grant(town: Town) -> str:
    return str(made(town, f"/access-requests/{request(town)}/approve", {})["grant"])


def team(town: Town) -> str:
    return str(made(town, "/teams", {"name": f"team {next(numbers)}"})["name"])


def invitation(town: Town) -> str:
    wish = {"email": f"guest{next(numbers)}@example.org", "roles": ["server"], "link": True}
    return str(made(town, "/invitations", wish)["id"])


def minted(town: Town) -> str:
    return str(made(town, "/keys", {"label": "k"}, "asker")["id"])


def stop(town: Town) -> str:
    told = {"kind": "user", "target": "spare@example.com", "reason": "r"}
    return str(made(town, "/stops", told)["id"])


THINGS: dict[str, Callable[[Town], str]] = {
    "approval": approval,
    "request": request,
    "grant": grant,
    "team": team,
    "invitation": invitation,
    "key": minted,
    "stop": stop,
    "spare": lambda _: "spare@example.com",
}


def address(town: Town, route: str, row: Row) -> str:
    path = route.partition(" ")[2]
    thing = THINGS[row.of](town) if row.of else "x"
    told = {"server": "scripted", "tool": "x", "id": thing, "name": thing.replace(" ", "%20")}
    told["email"] = thing if "@" in thing else NOTHING
    for name, value in told.items():
        path = path.replace(f"{{{name}}}", value)
    return f"{BASE}{path}"


@pytest.mark.parametrize("route", TABLE)
def test_each_route_opens_to_those_of_the_table_and_to_nobody_else(route: str, town: Town) -> None:
    row, method = TABLE[route], route.partition(" ")[0]
    found = {}
    for who in HOLDS:
        found[who], told = ask(town, method, address(town, route, row), who, row.body)
        assert found[who] not in (401, 405, 422), (who, told)
        assert found[who] < 500, (who, told)
    real = {row.shut, 404} if row.of else {row.shut}
    opened = {who for who, status in found.items() if status not in real}

    assert opened == row.opens, found
    assert {found[who] for who in EVERYBODY - row.opens} <= {row.shut}, found
    assert ask(town, method, address(town, route, row), "", row.body)[0] == 401


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_what_others_have_made_to_those_who_may_see_it(path: str, town: Town) -> None:
    kind, sees = LISTS[path]
    id = THINGS[kind](town)

    shown = {who for who in HOLDS if id in str(ask(town, "GET", f"{BASE}{path}", who)[1])}

    assert shown == sees


def test_whoever_may_less_gets_no_link_to_the_password_of_who_may_more(town: Town) -> None:
    wish = {"email": "all@example.com", "second_factor": True}

    status, told = ask(town, "POST", f"{BASE}/reset-links", "governor", wish)

    assert status == 403
    assert "whoever has the link may all that he may" in told["detail"]
    for who, email in (("governor", "governor"), ("governor", "spare"), ("all", "governor")):
        made(town, "/reset-links", {"email": f"{email}@example.com"}, who)


def test_a_server_that_is_none_has_no_kept_answers(town: Town) -> None:
    assert ask(town, "GET", f"{BASE}/cache/nothing", "all")[0] == 404
    assert ask(town, "GET", f"{BASE}/cache/nothing", "server")[0] == 403


def test_every_route_is_in_the_table(town: Town) -> None:
    document = ask(town, "GET", f"{BASE}/openapi.json", "all")[1]
    routes = {
        f"{method.upper()} {path.removeprefix(BASE)}"
        for path, methods in document["paths"].items()
        for method in methods
    }

    assert routes == set(TABLE)
