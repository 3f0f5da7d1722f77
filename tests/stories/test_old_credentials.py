"""A stored credential that is older than policy allows: who hears of it, and what is refused."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.stories.consent import fetched
from tests.stories.town import Town
from tests.stories.upstream import Upstream, within
from tests.torhaus.cli.terminal import torhaus
from torhaus.admin.safe import Safe
from torhaus.model.vault import Content, Kept, VaultKind
from torhaus.store.keyring import Ring
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

DAY = 86400.0
SECRET = "an-old-credential-0f3b5a7c9d"


async def store(data: Path, days: int) -> None:
    """As it was put so many days ago."""
    ring = Ring(data, {}, os.urandom)
    safe, at = Safe(ring.ring, os.urandom), time.time() - days * DAY
    database = Database(None, data)
    await database.open()
    async with StateOffice(database).write() as desk:
        kept = Kept(
            id="vlt_old",
            server="scripted",
            kind=VaultKind.BEARER,
            key_id="",
            sealed=b"",
            created=at,
            created_by="alice@example.com",
            rotated=at,
        )
        await desk.vault.add(safe.sealed(kept, Content(value=SECRET), await safe.key(desk, at)))
    await database.close()


@pytest.mark.parametrize("enforce", [False, True])
def test_everybody_who_looks_hears_of_it_and_policy_says_what_becomes_of_calls(
    upstream: Upstream, home: Path, enforce: bool
) -> None:
    config = {
        "rotation": {"enforce": enforce},
        "mcpServers": {"scripted": {"url": upstream.url, "auth": {"type": "stored"}}},
    }
    town = Town(config, home)
    asyncio.run(store(town.data, 100))
    with town:
        assert within(60, lambda: "is 100 days old; policy allows 90 days" in town.output())
        base = f"http://127.0.0.1:{town.port}"
        assert "older than policy allows" in fetched(f"{base}/status")[1]
        assert "mcp_gateway_credentials_overdue 1.0" in fetched(f"{base}/metrics")[1]
        with town.caller() as caller:
            answer = caller.tool("get_note")
        text = answer.body.decode()
        assert ("older than the 90 days that policy allows: rotate it" in text) is enforce
        assert ("get_note" in text and "isError" not in text) is not enforce
        assert SECRET not in town.output() + text
        said = torhaus("doctor", at=town.home, env=town.env)

    assert "100 days old" in said.out
    assert said.code == (1 if enforce else 0), said.out
