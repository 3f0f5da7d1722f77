"""A browser, a client program and the authorization server's addresses, without a port."""

import html
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from starlette.applications import Starlette

from tests.torhaus.admin.hall import ALICE, EVERYBODY
from tests.torhaus.admin.oauth.lobby import BACK, CURSOR, VERIFIER, Lobby
from tests.torhaus.admin.oauth.lobby import play as play_lobby
from tests.torhaus.admin.oauth.test_assertions import Provider
from tests.torhaus.admin.oauth.test_lookup import Web
from tests.torhaus.cast import NOW, github, sealer
from tests.torhaus.web.visits import PAGES, Seen, ask
from torhaus.admin.oauth.lookup import Lookup
from torhaus.identity.oauth import pkce
from torhaus.identity.oauth.origins import Origins
from torhaus.model.people import Principal
from torhaus.web.front import Front
from torhaus.web.oauth.application import routes
from torhaus.web.oauth.shared import OAuth

ORIGIN = "https://gw.example.org"
HOST = "gw.example.org"
FORM = {"content-type": "application/x-www-form-urlencoded"}
STATE = "st&te"


@dataclass
class Person:
    email: str
    family: str
    began: float = NOW

    @property
    def principal(self) -> Principal:
        (found,) = (each for each in EVERYBODY if each.email == self.email)
        return msgspec.structs.replace(found, shown=f"session:{self.family}")


class Desk:
    """Who has signed in where: by the cookie `who`."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {"alice": Person(ALICE.email, "ses_1")}

    async def who(self, scope: Mapping[str, Any]) -> Person | None:
        cookies = dict(scope["headers"]).get(b"cookie", b"").decode()
        found = re.search(r"who=(\w+)", cookies)
        return None if found is None else self.people.get(found[1])


def login_url(return_to: str) -> str:
    return "/login?" + urlencode({"next": return_to})


def again_url(return_to: str) -> str:
    return "/again?" + urlencode({"next": return_to})


def no_sign_in(who: Any, back: str) -> str | None:
    return login_url(back) if who is None else None


class House:
    """`public_url` and `fetch` can be changed before the first request."""

    def __init__(self, at: Lobby, public_url: str | None = ORIGIN) -> None:
        self.lobby = at
        self.desk = Desk()
        self.refuse: tuple[int, str] | None = None
        numbers = itertools.count(1000)
        self.provider = Provider(at)
        at.server = msgspec.structs.replace(at.server, assertions=())
        at.hall.rules = msgspec.structs.replace(
            at.hall.rules, servers={name: github(name=name) for name in ("github", "sentry")}
        )
        self.oauth = OAuth(
            server=lambda: at.server,
            origins=lambda: Origins(public_url=public_url, port=8080),
            rules=lambda: at.hall.rules,
            clock=at.hall.clock,
            random=lambda n: next(numbers).to_bytes(n, "big"),
            admin=at.admin,
            lookup=Lookup(
                office=at.hall.office, server=lambda: at.server, clock=at.hall.clock, fetch=Web
            ),
            tokens=at.tokens,
            assertions=self.provider.assertions,
            sealer=sealer(),
            sessions=self.desk,
            sign_in=self.sign_in,
        )
        front = Front(pages=PAGES, look=lambda _scope: self.refuse, origin=lambda: public_url)
        self.app = Starlette(routes=routes(self.oauth, front))

    def sign_in(self, who: Any, back: str) -> str | None:
        """Who came more than a quarter of an hour ago does so once more."""
        if who is None:
            return login_url(back)
        return None if self.lobby.hall.clock() - who.began < 900 else again_url(back)

    async def ask(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Seen:
        return await ask(self.app, method, target, body, {"host": HOST, **(headers or {})})

    async def post(self, target: str, told: Mapping[str, str], **headers: str) -> Seen:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask("POST", target, urlencode(told).encode(), {**FORM, **more})

    async def token(self, code: str, **changes: str) -> Seen:
        told = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": CURSOR.id,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return await self.post("/token", {name: value for name, value in told.items() if value})

    async def registered(self, **told: Any) -> Seen:
        body = {"client_name": "Cursor", "redirect_uris": [BACK], **told}
        return await self.ask("POST", "/register", json.dumps(body).encode())


@dataclass
class Browser:
    """Keeps cookies. `who`: the name somebody has signed in under in it."""

    house: House
    who: str | None = "alice"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, target: str, **headers: str) -> Seen:
        return self._kept(await self.house.ask("GET", target, b"", self._sent(headers)))

    async def post(self, target: str, told: Mapping[str, str], **headers: str) -> Seen:
        sent = self._sent({"sec-fetch-site": "same-origin", **FORM, **headers})
        return self._kept(await self.house.ask("POST", target, urlencode(told).encode(), sent))

    async def agree(self, page: Seen, decision: str = "allow") -> Seen:
        return await self.post("/authorize", {"ticket": ticket(page), "decision": decision})

    def _sent(self, headers: Mapping[str, str]) -> dict[str, str]:
        held = {**self.cookies, **({} if self.who is None else {"who": self.who})}
        joined = "; ".join(f"{name}={value}" for name, value in held.items())
        return {**({"cookie": joined} if joined else {}), **headers}

    def _kept(self, seen: Seen) -> Seen:
        for each in seen.cookies:
            name, _, rest = each.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return seen


def request(**changes: str | None) -> str:
    """What a client opens."""
    told = {
        "response_type": "code",
        "client_id": CURSOR.id,
        "redirect_uri": BACK,
        "code_challenge": pkce.challenge(VERIFIER),
        "code_challenge_method": "S256",
        "state": STATE,
        "resource": f"{ORIGIN}/mcp/github",
        **changes,
    }
    return "/authorize?" + urlencode({name: v for name, v in told.items() if v is not None})


def ticket(page: Seen) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


def answer(seen: Seen) -> dict[str, str]:
    """What the client is told at its own address."""
    assert seen.status in (302, 303), seen.text
    location = seen.headers["location"]
    assert location.startswith(f"{BACK}?"), location
    return dict(parse_qsl(urlsplit(location).query))


async def play(home: Path, story: Callable[[House], Any], **more: Any) -> None:
    async def begun(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await story(House(at, **more))

    await play_lobby(home, begun)
