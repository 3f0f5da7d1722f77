"""Ways in which access ends, and credentials that it ends for."""

import asyncio
import http.client
import json
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from typing import Any

from tests.stories.caller import Caller
from tests.stories.town import KEYS, Town
from torhaus.identity.keys import mint
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

ERIN = "erin@example.com"


class Desk:
    """An administrator at the API."""

    def __init__(self, town: Town) -> None:
        self._port = town.port

    def do(self, method: str, path: str, body: object = None, key: str = KEYS["ALICE_KEY"]) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        data = None if body is None else json.dumps(body).encode()
        headers |= {} if data is None else {"Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as line:
            line.request(method, f"/api/v1/{path}", data, headers)
            answer = line.getresponse()
            found = json.loads(answer.read() or b"null")
        assert answer.status in (200, 201), (answer.status, found)
        return found

    def hire(self, email: str = ERIN, role: str = "reader") -> None:
        self.do("POST", "people", {"email": email, "roles": [role]})

    def key(self, email: str = ERIN, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.do("POST", "keys", {"label": "k", "person": email, **more})
        return found


def token(town: Town, email: str, number: int = 1, audience: str = "scripted") -> tuple[str, str]:
    """An access token and its id, as another process would issue it."""
    made = mint(sha256(b"%d" % number).digest(), "tht_")

    async def issue() -> None:
        database = Database(None, town.data)
        await database.connect()
        now = time.time()
        family = Family(
            id=f"f{number}", kind=FamilyKind.CONSENT, email=email, expires=now + 900, used=now
        )
        credential = Credential(
            digest=sha256(made.encode()).digest(),
            id=f"t{number}",
            kind=CredentialKind.ACCESS,
            email=email,
            family=family.id,
            audience=audience,
            created=now,
            expires=now + 900,
        )
        async with StateOffice(database).write() as desk:
            await desk.families.add(family)
            await desk.credentials.add(credential, "")
        await database.close()

    asyncio.run(issue())
    return made, f"t{number}"


Way = Callable[[Desk, str, str], None]
"""Ends the access of somebody (an address), or of a credential (its id)."""


def _change(desk: Desk, email: str, _id: str) -> None:
    desk.do("PATCH", f"people/{email}", {"roles": []})


def _stop(kind: str) -> Way:
    def stop(desk: Desk, email: str, id: str) -> None:
        target = {"user": email, "key": id, "server": "scripted", "tool": "scripted/get_note"}
        desk.do("POST", "stops", {"kind": kind, "target": target[kind], "reason": "an incident"})

    return stop


WAYS: dict[str, Way] = {
    "suspended": lambda desk, email, _: desk.do("POST", f"people/{email}/suspend"),
    "offboarded": lambda desk, email, _: desk.do("POST", f"people/{email}/offboard"),
    "revoked": lambda desk, _, id: desk.do("DELETE", f"keys/{id}"),
    "role removed": _change,
    "user stopped": _stop("user"),
    "key stopped": _stop("key"),
    "server stopped": _stop("server"),
    "tool stopped": _stop("tool"),
}


def refused(caller: Caller) -> bool:
    """Whether the next call is refused."""
    answer = caller.tool("get_note")
    if answer.status == 401:
        return True
    return bool(answer.message["result"].get("isError"))
