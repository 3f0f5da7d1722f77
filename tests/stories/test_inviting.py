"""Somebody is asked in by mail, accepts in a browser, and may what was meant for him."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stories.caller import Caller
from tests.stories.directory import asked, minted
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream
from tests.torhaus.watch.test_smtp import Box, post

ERIN = "erin@company.local"
PASSWORD = "correct horse battery 7"
FORM = re.compile(r'name="token" value="([^"]+)"')


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def house(upstream: Upstream, home: Path, box: Box) -> Iterator[Town]:
    with post(box) as mx:
        mail = {"host": mx.host, "port": mx.port, "tls": "none", "from": "torhaus@example.com"}
        config: dict[str, Any] = {
            "notifications": {"email": mail},
            "mcpServers": {"scripted": server(upstream.url), "other": server(upstream.url)},
        }
        with Town(config, home) as running:
            yield running


def test_from_the_letter_to_the_first_call(house: Town, box: Box) -> None:
    wish = {"email": ERIN, "roles": ["admin"], "servers": ["scripted"], "message": "Hallo"}
    made = asked(house.port, "POST", "invitations", wish)
    assert made["delivery"].startswith("sent ")
    assert made["link"] is None

    text = box.taken[0].content.decode()
    link = re.search(r"http://\S+/invite/\S+", text)
    assert link is not None
    assert "> Hallo" in text
    token = link[0].rpartition("/")[2]
    assert token.encode() not in house.written()

    with httpx.Client(base_url=f"http://127.0.0.1:{house.port}") as browser:
        page = browser.get(f"/invite/{token}")
        assert ERIN in page.text
        form = FORM.search(page.text)
        assert form is not None
        fields = {"token": form[1], "email": ERIN, "password": PASSWORD, "again": PASSWORD}
        origin = {"origin": f"http://127.0.0.1:{house.port}"}
        done = browser.post(f"/invite/{token}", data=fields, headers=origin)
        assert done.status_code == 200, done.text
        assert browser.get(f"/invite/{token}").status_code == 404

    assert asked(house.port, "GET", f"people/{ERIN}")["servers"] == ["scripted"]
    key = minted(house.port, ERIN)
    with Caller(house.port, key, "scripted") as erin:
        assert "get_note" in erin.tool("get_note").text
    with Caller(house.port, key, "other") as erin:
        refused = erin.tool("get_note")
        assert "only on scripted" in str(refused.message)
