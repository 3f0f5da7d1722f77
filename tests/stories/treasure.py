"""Every kind of secret there is, each as good as it gets: made, used, and remembered here."""

import asyncio
import os
import re
import secrets
import time
from base64 import b32decode
from collections.abc import Mapping
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.stories.directory import TOKEN as SCIM
from tests.stories.ending import Desk
from tests.stories.signing import BACK, Program
from tests.stories.town import KEYS, TOKEN, Town
from torhaus.admin.safe import Safe
from torhaus.identity.oauth.pkce import challenge
from torhaus.model.vault import Content, Kept, VaultKind
from torhaus.store.keyring import Ring
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

BOB, ERIN = "bob@example.com", "erin@company.local"
PASSWORD = "Zaunkoenig-fliegt-4-mal-ums-Haus"
STORED = ("stored-7f3d1c9a5b2e48069d1c77aa", "rotated-0c5e8b71d2f94a36b8e0519cd3")
GRANT = {"value": "upstream-access-5b1e7790c2d84f36", "refresh": "upstream-refresh-9d02ab17ce55"}


class Treasure:
    """`found`: what it is -> the secret."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.desk = Desk(town)
        self.base = f"http://127.0.0.1:{town.port}"
        self.found: dict[str, str] = {
            "key of the file": KEYS["ALICE_KEY"],
            "token of a server": TOKEN,
            "token of SCIM": SCIM,
            "password": PASSWORD,
            "stored credential": STORED[0],
            "rotated credential": STORED[1],
            "access token of somebody's account": GRANT["value"],
            "refresh token of somebody's account": GRANT["refresh"],
            "PKCE verifier": secrets.token_urlsafe(48),
        }

    def gather(self) -> None:
        """Each in its right place, once."""
        self.desk.do("POST", "credentials/stored", {"kind": "bearer", "secret": STORED[0]})
        self.desk.do("POST", "credentials/stored/rotate", {"secret": STORED[1]})
        with httpx.Client(base_url=self.base, follow_redirects=False) as browser:
            self._asked_in(browser)
            self._sign_up(browser)
            self._programs(browser)
            self._second_factor(browser)
            cookies = {each.name: each.value or "" for each in browser.cookies.jar}
            self.found["cookie"] = next(v for v in cookies.values() if v.startswith("ths_"))
        made = self.desk.key(BOB)
        self.found["key of the database"] = made["key"]
        self.found["vault key"] = (self.town.data / "vault.key").read_text().split()[0]
        asyncio.run(_connected(self.town))

    def typed(self, value: str) -> None:
        """Into the form of signing in: for the address, and for the code."""
        with httpx.Client(base_url=self.base) as browser:
            for told in ({"email": value, "password": "x"}, {"email": BOB, "password": value}):
                assert self._form(browser, "/login", "/login", told).status_code in (200, 401, 429)

    def _asked_in(self, browser: httpx.Client) -> None:
        wish = {"email": ERIN, "roles": ["reader"]}
        link = self.desk.do("POST", "invitations", wish)["link"]
        self.found["token of an invitation"] = _last(link)
        assert ERIN in browser.get(f"/invite/{_last(link)}").text

    def _sign_up(self, browser: httpx.Client) -> None:
        link = self.desk.do("POST", "reset-links", {"email": BOB})["url"]
        self.found["token of a reset link"] = _last(link)
        path = f"/reset/{_last(link)}"
        told = {"password": PASSWORD, "again": PASSWORD}
        done = self._form(browser, path, path, told)
        assert done.status_code in (200, 303), done.text
        done = self._form(browser, "/login", "/login", {"email": BOB, "password": PASSWORD})
        assert done.status_code in (200, 303), done.text
        assert browser.get("/me").status_code == 200

    def _programs(self, browser: httpx.Client) -> None:
        program = Program(self.town.port)
        told = program.register(token_endpoint_auth_method="client_secret_post")
        self.found["secret of a program"] = secret = told["client_secret"]
        verifier = self.found["PKCE verifier"]
        page = browser.get(program.request(code_challenge=challenge(verifier)))
        while BACK not in str(page.headers.get("location", page.headers.get("refresh", ""))):
            told = {"ticket": _field(page.text, "ticket"), "decision": "allow"}
            page = browser.post("/authorize", data=told, headers=self._own())
            while page.is_redirect and BACK not in page.headers["location"]:
                page = browser.get(page.headers["location"])
        where = page.headers.get("location") or page.headers["refresh"].partition("url=")[2]
        code = dict(parse_qsl(urlsplit(where).query))["code"]
        self.found["authorization code"] = code
        status, pair = program.token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=BACK,
            code_verifier=verifier,
            client_secret=secret,
        )
        assert status == 200, pair
        self.found["access token"] = pair["access_token"]
        self.found["refresh token"] = pair["refresh_token"]

    def _second_factor(self, browser: httpx.Client) -> None:
        at = "/me/security"
        page = self._form(browser, at, at, {"do": "begin", "old": PASSWORD})
        shown = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
        assert shown is not None, page.text
        seed = shown[1].replace(" ", "")
        self.found["seed of codes"] = seed
        secret = TOTP(_base32(seed), 6, SHA1(), 30, enforce_key_length=False)
        code = secret.generate(int(time.time())).decode()
        told = {"do": "finish", "ticket": _field(page.text, "ticket"), "code": code}
        told["token"] = _field(page.text, "token")
        page = browser.post(at, data=told, headers=self._own())
        codes = re.findall(r"<li>([^<]+)</li>", page.text)
        assert len(codes) == 10, page.text
        self.found["recovery code"] = codes[0]
        self.found["ticket of a form"] = told["ticket"]

    def _form(
        self, browser: httpx.Client, page: str, to: str, told: Mapping[str, str]
    ) -> httpx.Response:
        token = _field(browser.get(page).text, "token")
        return browser.post(to, data={**told, "token": token}, headers=self._own())

    def _own(self) -> dict[str, str]:
        return {"origin": self.base, "sec-fetch-site": "same-origin"}


async def _connected(town: Town) -> None:
    """Bob's account at a server, as another process would keep it."""
    database = Database(None, town.data)
    await database.connect()
    safe = Safe(Ring(town.data, {}, os.urandom).ring, os.urandom)
    now = time.time()
    async with StateOffice(database).write() as desk:
        kept = Kept(
            id="vlt_bob",
            server="mine",
            email=BOB,
            kind=VaultKind.OAUTH_USER,
            key_id="",
            sealed=b"",
            created=now,
            created_by=BOB,
            rotated=now,
        )
        content = Content(**GRANT, resource=str(town.config["mcpServers"]["mine"]["url"]))
        await desk.vault.add(safe.sealed(kept, content, await safe.key(desk, now)))
    await database.close()


def _last(link: str) -> str:
    return link.rpartition("/")[2]


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return unescape(found[1])


def _base32(text: str) -> bytes:
    return b32decode(text + "=" * (-len(text) % 8))
