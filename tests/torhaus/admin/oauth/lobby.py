"""Where tokens are given out in the tests: Alice's session, a client, and the real database."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import ALICE, Hall, hall
from torhaus.admin.acts import Done, Refusal
from torhaus.admin.oauth.acts import STRANGER, Claim, GiveConsent, RegisterClient
from torhaus.admin.oauth.tokens import Tokens
from torhaus.admin.oauth.works import oauth_works
from torhaus.admin.perform import WORKS, Admin
from torhaus.identity.keys import digest
from torhaus.identity.oauth import pkce
from torhaus.identity.oauth.asked import Asked
from torhaus.model.credentials import Family, FamilyKind
from torhaus.model.oauth import AuthorizationServer, Client
from torhaus.model.people import Principal

BACK = "http://localhost:3118/callback"
VERIFIER = "v" * 43
IP = "192.0.2.7"
CURSOR = Client(id="dcr_1", kind="registered", name="Cursor", redirect_uris=(BACK,))
OTHER = msgspec.structs.replace(CURSOR, id="dcr_2", name="Other")


class Lobby:
    """`server` can be changed. `codes`: those given out, by consent."""

    def __init__(self, at: Hall) -> None:
        self.hall = at
        self.server = AuthorizationServer()
        works = {**WORKS, **oauth_works(lambda: self.server)}
        self.admin = Admin(at.means, at.happened, works)
        numbers = itertools.count(1)
        self.strange: list[str] = []
        self.tokens = Tokens(
            admin=self.admin,
            office=at.office,
            rules=lambda: at.rules,
            server=lambda: self.server,
            clock=at.clock,
            random=lambda n: next(numbers).to_bytes(n, "big"),
            unknown=lambda _ip, reason: self.strange.append(reason),
        )
        self._numbers = itertools.count(1)

    async def begin(self, session: str = "ses_1", who: Principal = ALICE) -> None:
        """Somebody has signed in in a browser, and two clients have registered."""
        now = self.hall.clock()
        made = Family(
            id=session,
            kind=FamilyKind.SESSION,
            email=who.email,
            issuer="https://idp.example.org",
            subject="s-alice",
            created=now,
            used=now,
            expires=now + 8 * 3600,
        )
        async with self.hall.office.write() as desk:
            await desk.families.add(made)

    async def register(self, *clients: Client) -> None:
        for each in clients:
            done = await self.admin.perform(STRANGER, RegisterClient(each, 100), IP)
            assert isinstance(done, Done)

    async def consent(
        self, client: Client = CURSOR, who: Principal = ALICE, **changes: Any
    ) -> Done | Refusal:
        given = {"audience": "github", "redirect_uri": BACK, "session": "ses_1", "code": "code"}
        told = {**given, "id": f"con_{next(self._numbers)}", **changes}
        asked = Asked(
            client_id=client.id,
            redirect_uri=told["redirect_uri"],
            audience=told["audience"],
            challenge=pkce.challenge(VERIFIER),
        )
        act = GiveConsent(
            id=told["id"],
            client=client,
            asked=asked,
            session=told["session"],
            code=digest(told["code"]),
            ip=IP,
        )
        return await self.admin.perform(who, act, IP)

    async def exchange(self, code: str = "code", client: Client = CURSOR, **changes: Any) -> Any:
        claim = Claim(**{"verifier": VERIFIER, "redirect_uri": BACK, **changes})
        return await self.tokens.exchange(code, claim, client, IP)

    async def refresh(
        self, token: str, audience: str | None = "github", client: Client = CURSOR
    ) -> Any:
        return await self.tokens.refresh(token, audience, client, IP)

    async def begun(self, **changes: Any) -> Any:
        """Tokens that Alice's client has, as in every ordinary day."""
        await self.begin()
        await self.register(CURSOR)
        assert isinstance(await self.consent(**changes), Done)
        return await self.exchange()

    async def lives(self, access: str) -> bool:
        now = self.hall.clock()
        async with self.hall.office.read() as desk:
            return digest(access) in {each.digest for each in await desk.credentials.live(now)}

    def ends(self) -> list[tuple[str, str]]:
        return [(each[0], each[2]) for each in self.hall.ends()]


async def play(home: Path, story: Callable[[Lobby], Any], url: str | None = None) -> None:
    async with hall(home, url) as made:
        await story(Lobby(made))
