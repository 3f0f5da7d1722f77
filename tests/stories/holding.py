"""Everything that somebody may hold who has access."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from typing import Any

from tests.stories.caller import Caller
from tests.stories.somebody import (
    AGENT_SECRET,
    FILE,
    SERVICE,
    Held,
    Place,
    key_of_file,
    secret,
)
from tests.stories.test_announced import Stream
from tests.stories.upstream import within
from tests.stories.uses import (
    administration,
    approval,
    asserting,
    called,
    connection,
    link_of,
    old_transport,
    opened_old,
    own_page,
    parked_call,
    refreshing,
)
from torhaus.model.accounts import Link
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.model.oauth import Refresh
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

KEY, OWN_KEY, FILE_KEY = "key", "own key", "key of the file"
TOKEN, REFRESH, COOKIE = "access token", "refresh token", "cookie"
ASSERTED, ASSERTION = "token of an assertion", "assertion"
"""Kinds of credentials. An own key is one he has made himself."""
KEYS, SIGNED_IN = (KEY, OWN_KEY, FILE_KEY), (TOKEN, REFRESH, COOKIE)


@contextmanager
def holding(at: Place, sort: str) -> Iterator[Held]:
    """Somebody new of this sort, with everything there is for him."""
    held = at.somebody(sort)
    made = at.desk.key(held.email)
    held.keys[KEY] = made["id"]
    with ExitStack() as lines:
        hold = _Hold(at, held, lines)
        hold.everything(KEY, made["key"])
        hold.administration(KEY, made["key"])
        if sort == FILE:
            number = int(held.email.removeprefix(FILE).partition("@")[0])
            held.keys[FILE_KEY] = f"file_{digest(key_of_file(number)).hex()[:12]}"
            hold.everything(FILE_KEY, key_of_file(number))
            hold.administration(FILE_KEY, key_of_file(number))
        hold.own_key(made["key"])
        if sort != SERVICE:
            asyncio.run(_issue(at, held))
            hold.everything(TOKEN, secret("tht_", "access", held.number))
            hold.signed_in()
            hold.asserted()
        yield held


class _Hold:
    """Fills what somebody holds. `lines`: his connections, which are closed at the end."""

    def __init__(self, at: Place, held: Held, lines: ExitStack) -> None:
        self._at, self._held, self._lines = at, held, lines

    def everything(self, name: str, bearer: str) -> None:
        """All that programs do with it. Each has a connection of its own."""
        uses, caller = self._held.uses, lambda: self._caller(bearer)
        plain, session, state, held_up = caller(), caller(), caller(), caller()
        uses[name] = lambda: called(plain, "get_note")
        self._until_known(name)
        session.begin()
        uses[f"session of the {name}"] = lambda: called(session, "get_note")
        uses[f"old transport of the {name}"] = old_transport(caller(), caller())
        uses[f"parked call of the {name}"] = parked_call(state)
        uses[f"approval of the {name}"] = approval(held_up)
        self._held.streams |= {
            f"stream of 2024 of the {name}": opened_old(caller()),
            f"stream of 2025 of the {name}": self._listening(bearer),
            f"stream of 2026 of the {name}": self._hearing(bearer),
        }

    def administration(self, name: str, bearer: str) -> None:
        """What only keys do: at the API, and typed into a page."""
        uses = self._held.uses
        uses[f"administration with the {name}"] = administration(self._at.town, bearer)
        link = link_of(self._caller(bearer))
        uses[f"connect link with the {name}"] = connection(link, key=bearer)

    def own_key(self, bearer: str) -> None:
        made = self._at.desk.do("POST", "keys", {"label": "own"}, bearer)
        self._held.keys[OWN_KEY] = made["id"]
        caller = self._caller(made["key"])
        self._held.uses[OWN_KEY] = lambda: called(caller, "get_note")

    def signed_in(self) -> None:
        at, uses, number = self._at, self._held.uses, self._held.number
        cookie, token = secret("ths_", "session", number), secret("tht_", "access", number)
        uses[COOKIE] = own_page(at.town, cookie)
        self._until_known(COOKIE)
        uses[f"connect link with the {COOKIE}"] = connection(
            link_of(self._caller(token)), cookie=cookie
        )
        uses[REFRESH] = refreshing(at.program, secret("thr_", "refresh", number))

    def asserted(self) -> None:
        at, uses = self._at, self._held.uses
        said = asserting(at.idp, at.agent, AGENT_SECRET, self._held.email)
        uses[ASSERTION] = lambda: "access_token" in said()
        caller = self._caller(said()["access_token"])
        uses[ASSERTED] = lambda: called(caller, "get_note")

    def _until_known(self, name: str) -> None:
        # The gateway has to hear of what another process has issued.
        assert within(60, self._held.uses[name])

    def _caller(self, bearer: str) -> Caller:
        return self._lines.enter_context(Caller(self._at.town.port, bearer))

    def _listening(self, bearer: str) -> Caller:
        caller = self._caller(bearer)
        caller.target = "/mcp/news"
        caller.begin()
        caller.listen()
        return caller

    def _hearing(self, bearer: str) -> Caller:
        caller = self._caller(bearer)
        caller.target = "/mcp/news"
        Stream(caller, toolsListChanged=True)
        return caller


async def _issue(at: Place, held: Held) -> None:
    """A browser session and a consent that was given in it, as another process would issue them."""
    database = Database(None, at.town.data)
    await database.connect()
    now, number, (session, consent) = time.time(), held.number, held.families
    more: dict[str, Any] = {"email": held.email, "created": now, "used": now, "expires": now + 900}
    said = {"issuer": at.idp.issuer, "subject": held.email, "provider_session": session}
    token = {"email": held.email, "created": now, "expires": now + 900}
    access, cookie = secret("tht_", "access", number), secret("ths_", "session", number)
    async with StateOffice(database).write() as desk:
        link = {"issuer": at.idp.issuer, "subject": held.email, "email": held.email}
        await desk.identities.put(Link(provider="oidc", linked=now, **link))
        await desk.families.add(Family(id=session, kind=FamilyKind.SESSION, **said, **more))
        given = {"client_id": at.program.client_id, "audience": "", "parent": session, **more}
        await desk.families.add(Family(id=consent, kind=FamilyKind.CONSENT, **said, **given))
        for kind, text, id, what in (
            (CredentialKind.ACCESS, access, f"t{number}", {"family": consent, "audience": ""}),
            (CredentialKind.SESSION, cookie, session, {"family": session}),
        ):
            made = Credential(digest=digest(text), id=id, kind=kind, **what, **token)
            await desk.credentials.add(made, "")
        fresh = digest(secret("thr_", "refresh", number))
        made = Refresh(digest=fresh, family=consent, created=now, expires=now + 900)
        await desk.refreshes.add(made)
    await database.close()


def digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


Kinds = Callable[[str], bool]


def everything(_: str) -> bool:
    return True


def what_is_done_with(*credentials: str) -> Kinds:
    """Of these kinds, whatever is done with them."""

    def among(use: str) -> bool:
        return use in credentials or any(use.endswith(f" the {each}") for each in credentials)

    return among
