"""The pages for signing in on a real database, with people, a scripted provider and a browser."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from tests.torhaus.admin.hall import EVERYBODY, ROLES, Hall, hall, key, rules
from tests.torhaus.cast import sealer
from tests.torhaus.web.visits import PAGES, Seen, ask, operations
from torhaus.admin.acts import Effect
from torhaus.admin.connected import ServerAccount
from torhaus.admin.perform import WORKS, Admin
from torhaus.admin.signin.works import SIGNIN_WORKS
from torhaus.identity.keys import digest
from torhaus.model.accounts import Password
from torhaus.model.credentials import Credential
from torhaus.model.people import Phase, Principal
from torhaus.model.person import PersonState
from torhaus.model.providers import Gains, OidcProvider, Terms
from torhaus.model.signin import (
    Arrival,
    Departure,
    Identity,
    LocalAccounts,
    LoggedOut,
    SignInError,
    UnaskedError,
)
from torhaus.reception import Reception, Ways
from torhaus.signin.local import Argon2
from torhaus.web.approvals import Approvals
from torhaus.web.forms import FORM_TYPE
from torhaus.web.front import Front
from torhaus.web.operations import application

HASHER = Argon2(memory=8, passes=1, lanes=1)
ORIGIN = "https://gw.example.org"
PROVIDER = OidcProvider(
    name="corp",
    label="Corp <SSO>",
    terms=Terms(groups={"eng": Gains(roles=("developer",))}, link_by_email=True),
    issuer="https://idp.example",
    client_id="torhaus",
)


class Scripted:
    """A provider that says what the test wants. `answers`: by the code that comes back."""

    name, label = "corp", "Corp <SSO>"

    def __init__(self) -> None:
        self.answers: dict[str, Identity] = {}
        self.outs: dict[str, LoggedOut] = {}
        self.arrivals: list[Arrival] = []

    async def depart(
        self, state: str, callback: str, now: float, *, anew: bool = False
    ) -> Departure:
        asked = {"state": state, "to": callback, **({"prompt": "login"} if anew else {})}
        where = f"https://idp.example/authorize?{urlencode(asked)}"
        return Departure(url=where, state=state, private={"nonce": f"n {now}"})

    async def arrive(self, arrival: Arrival, callback: str, now: float) -> Identity:
        self.arrivals.append(arrival)
        assert arrival.private["nonce"].startswith("n ")
        assert callback == f"{ORIGIN}/callback/corp"
        code = {**arrival.query, **arrival.form}.get("code", "")
        if code == "down":
            raise UnaskedError(self.label, "no connection")
        if code not in self.answers:
            raise SignInError("The identity provider's <answer> proves nothing.", "no such code")
        return self.answers[code]

    async def farewell(self, hint: str, return_to: str, now: float) -> str | None:
        return f"https://idp.example/logout?{urlencode({'hint': hint, 'to': return_to})}"

    async def logged_out(self, token: str, now: float) -> LoggedOut:
        if token not in self.outs:
            raise SignInError("no such token")
        return self.outs[token]


class Index:
    """What a process knows of credentials: what acts have told it."""

    def __init__(self) -> None:
        self.known: dict[bytes, Credential] = {}
        self.barred: set[str] = set()
        self.until = inf

    def happened(self, effect: Effect) -> None:
        self.known |= {each.digest: each for each in effect.issued}
        for each in effect.ended:
            self.known.pop(each, None)

    def find(self, digest: bytes) -> Credential | None:
        return self.known.get(digest)

    def worth_asking(self, digest: bytes, now: float, ip: str) -> bool:
        return False

    async def look(self, digest: bytes, ip: str) -> Credential | None:
        return self.find(digest)

    def unwelcome(self, email: str, credential: str, now: float) -> object | None:
        return "barred" if email in self.barred else None


@dataclass
class Browser:
    """Keeps cookies and follows nothing by itself."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    token: str = ""

    async def get(self, target: str, **headers: str) -> Seen:
        return await self._ask("GET", target, b"", headers)

    async def post(self, target: str, form: Mapping[str, str], **headers: str) -> Seen:
        """With the token of the last page, unless the form has one."""
        body = urlencode({"token": self.token, **form}).encode()
        return await self._ask("POST", target, body, {"content-type": FORM_TYPE, **headers})

    async def _ask(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Seen:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if kept and "cookie" not in sent:
            sent["cookie"] = kept
        seen = await ask(self.app, method, target, body, {"host": "gw.example.org", **sent})
        for each in seen.cookies:
            name, _, value = each.partition(";")[0].partition("=")
            if "Max-Age=0" in each:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        self.token = hidden(seen, "token") or self.token
        return seen


def hidden(seen: Seen, name: str) -> str:
    found = re.findall(rf'name="{name}" value="([^"]*)"', seen.text)
    return unescape(found[-1]) if found else ""


class Listed:
    """A directory in which everybody has an address of example.org and the password `right`."""

    name, label = "staff", "Staff"

    async def ask(self, user: str, password: str, now: float) -> Identity:
        if password != "right":
            raise SignInError("Name or password is wrong.")
        return Identity(
            provider=self.name, issuer="ldap:staff", subject=user, email=f"{user}@example.org"
        )


@dataclass
class House:
    hall: Hall
    provider: Scripted
    index: Index
    local: list[LocalAccounts]
    reception: Reception
    app: Any

    def browser(self) -> Browser:
        return Browser(self.app)

    async def account(self, who: Principal, password: str, **more: Any) -> None:
        made = Password(email=who.email, hash=await HASHER.hash(password), **more)
        async with self.hall.office.write() as desk:
            await desk.passwords.put(made)

    async def signed_in(self, who: Principal, password: str = "correct horse") -> Browser:
        await self.account(who, password)
        self.local[0] = LocalAccounts(second_factor="optional")
        browser = self.browser()
        await browser.get("/login")
        seen = await browser.post("/login", {"email": who.email, "password": password})
        assert seen.status == 303, seen.text
        return browser


async def _renewed(made: Hall) -> None:
    """The rules, with those of the database: what the gateway compiles after such an act."""
    async with made.office.read() as desk:
        found = await desk.persons.every()
    added = []
    for each in found:
        if each.state is PersonState.ACTIVE and each.roles:
            access = ROLES[each.roles[0]]
            phases = (Phase(roles=each.roles, access=access),)
            added.append(Principal(id=each.email, email=each.email, phases=phases))
    old = [
        each
        for each in made.rules.principals.values()
        if each.email not in {a.email for a in added}
    ]
    made.rules = msgspec.structs.replace(
        made.rules, principals={each.id: each for each in (*old, *added)}
    )


@asynccontextmanager
async def house(home: Path, *people: Principal, **changes: Any) -> AsyncIterator[House]:
    """`changes`: of the rules."""
    async with hall(home) as made:
        made.rules = rules(*(people or EVERYBODY), providers=(PROVIDER,), **changes)
        index, provider = Index(), Scripted()
        admin = Admin(made.means, index.happened, {**WORKS, **SIGNIN_WORKS})
        real = admin.perform

        async def performed(actor: Principal, act: Any, ip: str = "") -> Any:
            done = await real(actor, act, ip)
            await _renewed(made)
            return done

        admin.perform = performed  # type: ignore[method-assign]
        local = [LocalAccounts()]
        front = Front(pages=PAGES, look=lambda _scope: None, origin=lambda: ORIGIN)
        ways = Ways(
            redirecting=lambda: {"corp": provider},
            asking=lambda: {"staff": Listed()},
            local=lambda: local[0],
            hasher=HASHER,
            within=lambda: 900.0,
        )
        reception = Reception(made.means, admin, sealer(), index, front, ways, no_accounts)
        decisions = Approvals(
            admin=made.admin,
            books=made.books,
            links=made.links,
            rules=lambda: made.rules,
            clock=made.clock,
            pages=PAGES,
            known=lambda _key: None,
            sessions=reception.sessions,
        )
        app = application(operations(), decisions.page, front, reception.routes())
        yield House(made, provider, index, local, reception, app)


async def no_accounts(_who: Principal) -> Sequence[ServerAccount]:
    """As where no server wants an account of each person."""
    return ()


def session_of(browser: Browser) -> bytes:
    return digest(browser.cookies["__Host-torhaus"])


__all__ = ["HASHER", "ORIGIN", "PROVIDER", "Browser", "House", "hidden", "house", "key"]
