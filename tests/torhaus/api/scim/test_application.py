"""What is sent and how it is answered; the stories have the rest over real HTTP."""

from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.torhaus.admin.hall import Hall, play
from tests.torhaus.admin.provisioning.pushed import OKTA, pushing
from tests.torhaus.cast import run
from torhaus.admin.provisioning.books import ScimBooks
from torhaus.api.scim.application import ScimApplication
from torhaus.api.scim.door import ScimDoor
from torhaus.api.scim.resources import Resources
from torhaus.identity.keys import digest


def client(hall: Hall) -> httpx.AsyncClient:
    pushing(hall)
    source = msgspec.structs.replace(OKTA, digests=(digest("t"),))
    door = ScimDoor(lambda: (source,), lambda _: None, lambda _ip, _why: None, hall.clock)
    resources = Resources(hall.admin, ScimBooks(hall.office), hall.clock)
    app = ScimApplication(door, resources, lambda: "https://gw.example")
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://gw/scim/v2/",
        headers={"authorization": "Bearer t"},
    )


def test_a_user_lives_and_goes(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        async with client(hall) as http:
            made = await http.post("Users", json={"userName": "e@x.local"})
            where = made.headers["location"]
            assert where == f"https://gw.example/scim/v2/Users/{made.json()['id']}"
            assert made.headers["cache-control"] == "no-store"
            one = where.removeprefix("https://gw.example/scim/v2/")
            same = await http.put(one, json={"userName": "e@x.local"})
            assert (same.status_code, same.json()["meta"]) == (200, made.json()["meta"])
            found = await http.post(".search", json={"filter": 'id eq "x"', "count": 5})
            assert found.json()["totalResults"] == 0
            found = await http.post(".search", json={})
            assert found.json()["totalResults"] == 1
            assert (await http.delete(one)).status_code == 204
            assert (await http.get(one)).status_code == 404

    run(play(tmp_path, story))


def test_what_makes_no_sense_is_told(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        async with client(hall) as http:
            tries: list[tuple[str, str, Any, int]] = [
                ("POST", "Users", b"{", 400),
                ("POST", "Users", b"[]", 400),
                ("POST", "Users", b" " * (5 << 20), 413),
                ("POST", "Users/x", b"{}", 405),
                ("PUT", "Users", b"{}", 405),
                ("PATCH", "Users/x", b"{}", 404),
                ("GET", "Users?filter=x", None, 400),
                ("POST", "Bulk", b"{}", 501),
                ("GET", "Me", None, 501),
                ("GET", "nothing", None, 404),
                ("DELETE", "Schemas", None, 405),
                ("GET", "Schemas?filter=x", None, 403),
                ("GET", ".search", None, 405),
            ]
            for method, path, body, status in tries:
                answer = await http.request(method, path, content=body)
                assert (answer.status_code, path) == (status, path)
                assert answer.json()["status"] == str(status)
            assert (await http.get("ServiceProviderConfig")).status_code == 200

    run(play(tmp_path, story))
