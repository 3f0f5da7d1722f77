"""A gateway for the stories: its people, its configuration, its records."""

import json
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.clients.gateway import Gateway
from tests.stories.caller import Caller
from tests.stories.upstream import within

KEYS = {
    "ALICE_KEY": "alice-key-0a5c5b1e9d8f4a47",
    "BOB_KEY": "bob-key-1b6d6c2fae905b58",
    "CAROL_KEY": "carol-key-2c7e7d30bfa16c69",
    "MALLORY_KEY": "mallory-key-3d8f8e41c0b27d7a",
}
TOKEN = "upstream-token-4e909f52d1c38e8b"
SECRETS = [*KEYS.values(), TOKEN]
SOON = 20.0
"""Seconds in which what takes hold within a second has done so on a busy machine too."""

PEOPLE: dict[str, Any] = {
    "users": [
        {"email": "alice@example.com", "role": "admin", "api_keys": ["${ALICE_KEY}"]},
        {"email": "bob@example.com", "role": "reader", "api_keys": ["${BOB_KEY}"]},
        {"email": "carol@example.com", "role": "admin", "api_keys": ["${CAROL_KEY}"]},
        {"email": "mallory@example.com", "role": "nobody", "api_keys": ["${MALLORY_KEY}"]},
    ],
    "roles": {
        "admin": {"permissions": ["*"]},
        "reader": {"permissions": ["*:read"]},
        "nobody": {"permissions": []},
    },
}


class Town(Gateway):
    """`config` is written as JSON, which is YAML."""

    def __init__(self, config: Mapping[str, Any], home: Path) -> None:
        self.config: dict[str, Any] = {**PEOPLE, **config}
        super().__init__(json.dumps(self.config), home, {**KEYS, "UPSTREAM_TOKEN": TOKEN})

    def write(self, config: Mapping[str, Any] | str) -> None:
        """Replace the configuration, as an editor would."""
        text = config if isinstance(config, str) else json.dumps(config)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.file)

    def caller(self, who: str | None = "ALICE", server: str = "scripted", **more: Any) -> Caller:
        return Caller(self.port, None if who is None else KEYS[f"{who}_KEY"], server, **more)

    def records(self) -> list[dict[str, Any]]:
        """Those of calls and acts; the house has some of its own."""
        return [each for each in super().records() if not _of_the_house(each)]

    def house(self) -> list[dict[str, Any]]:
        """What the house has recorded of itself."""
        return [each for each in super().records() if _of_the_house(each)]

    def count(self) -> int:
        return len(self.records())

    def new(self, since: int) -> list[dict[str, Any]]:
        """The records since there were so many: one at least, unless none comes for long."""
        within(60, lambda: self.count() > since)
        return self.records()[since:]

    def silent(self, since: int) -> bool:
        """Whether no record has come since there were so many, and none comes for a while."""
        return not within(0.5, lambda: self.count() > since)

    def outcome(self, since: int) -> list[tuple[str, str]]:
        """Operation and status of the records since."""
        return [(each["operation"], each["result"]["status"]) for each in self.new(since)]

    def alive(self) -> bool:
        """Whether a good call succeeds."""
        with self.caller() as caller:
            return "get_note" in caller.tool("get_note").text

    def hang_up(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def written(self) -> bytes:
        """Everything it has written down: log, records, state."""
        files = [self.log, *(each for each in self.data.rglob("*") if each.is_file())]
        return b"\n".join(each.read_bytes() for each in files)


def _of_the_house(record: Mapping[str, Any]) -> bool:
    """Or somebody at its machine did it, without the gateway: he exported the log."""
    own = record["user"]["role"] in ("system", "local")
    return own or record["operation"] == "credentials.refused"


def server(url: str, **more: Any) -> dict[str, Any]:
    """An entry of `mcpServers`. It never counts as down: stories of bad servers share one."""
    auth = {"type": "bearer", "token": "${UPSTREAM_TOKEN}"}
    return {"url": url, "auth": auth, "timeout": "5s", "health": {"failures": "off"}, **more}
