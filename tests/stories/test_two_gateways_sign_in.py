"""Two gateways on one PostgreSQL: whoever begins to sign in at one can go on at the other."""

import base64
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.stories.directory import asked
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within
from tests.torhaus.store.state.elephants import CannotRunError, Elephant
from tests.torhaus.web.test_signing import code, secret_of

ALICE, PASSWORD = "alice@example.com", "correct horse battery 7"


@pytest.fixture(scope="module")
def elephant() -> Iterator[Elephant]:
    try:
        with Elephant() as one:
            yield one
    except CannotRunError as error:
        pytest.skip(str(error))


class Person:
    """In a browser that is led to another gateway with each click."""

    def __init__(self, towns: tuple[Town, Town]) -> None:
        self._origins = [f"http://127.0.0.1:{each.port}" for each in towns]
        self._browser = httpx.Client(timeout=60)
        self._clicks = 0
        self.page = httpx.Response(200)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()

    def get(self, path: str) -> None:
        self.page = self._browser.get(f"{self._next()}{path}")

    def post(self, path: str, **fields: str) -> None:
        """With what the last page's form holds."""
        held = dict(re.findall(r'name="(token|ticket)" value="([^"]+)"', self.page.text))
        where = self._next()
        sent = {**held, **fields}
        self.page = self._browser.post(f"{where}{path}", data=sent, headers={"origin": where})

    def _next(self) -> str:
        self._clicks += 1
        return self._origins[self._clicks % 2]


@pytest.fixture
def towns(elephant: Elephant, upstream: Upstream, home: Path) -> tuple[Town, Town]:
    elephant.say("DROP DATABASE IF EXISTS signing", "CREATE DATABASE signing")
    config = {
        "storage": {"state": f"{elephant.url}/signing"},
        "mcpServers": {"scripted": server(upstream.url)},
    }
    return Town(config, home / "one"), Town(config, home / "other")


def test_with_one_key_every_step_may_be_at_another_gateway(towns: tuple[Town, Town]) -> None:
    key = base64.b64encode(os.urandom(32)).decode()
    for each in towns:
        each.env["TORHAUS_SEAL_KEY"] = key
    one, other = towns
    with one, other:
        link = asked(one.port, "POST", "reset-links", {"email": ALICE})["url"]
        path = "/reset/" + link.rpartition("/")[2]
        with Person(towns) as alice:
            alice.get(path)
            alice.post(path, password=PASSWORD, again=PASSWORD)
            assert alice.page.status_code == 200, alice.page.text

            alice.get("/login")
            alice.post("/login", email=ALICE, password=PASSWORD)
            secret = secret_of(alice.page.text)
            alice.post("/login/factor", code=code(secret, time.time()))
            assert alice.page.status_code == 200, alice.page.text

        with Person(towns) as alice:
            alice.get("/login")
            alice.post("/login", email=ALICE, password=PASSWORD)
            alice.post("/login/code", code=code(secret, time.time() + 30))
            assert alice.page.status_code == 303, alice.page.text
        assert b"seal.key.differs" not in one.log.read_bytes() + other.log.read_bytes()
        assert key.encode() not in one.written() + other.written()


def test_a_gateway_with_a_key_of_its_own_says_so(towns: tuple[Town, Town]) -> None:
    one, other = towns
    with one:
        assert within(60, lambda: b"state.listening" in one.log.read_bytes() or one.alive())
        with other:
            assert within(60, lambda: b"seal.key.differs" in other.log.read_bytes())
    assert b"TORHAUS_SEAL_KEY" in other.log.read_bytes()
    assert b"seal.key.differs" not in one.log.read_bytes()
