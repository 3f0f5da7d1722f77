"""A town where changes need a second pair of eyes, and how its people agree."""

import json
import re
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.gateway import Gateway
from tests.stories.caller import Answer
from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream, within

EVERYTHING = {"permissions": ["*"]}
NOTE = {"text": "hello"}
POLICY: dict[str, Any] = {
    "name": "four eyes",
    "applies_to": [{"role": "developer"}, {"actions": ["write", "delete"]}],
    "action": "require_approval",
    "approvers": ["lead"],
    "reason": "Changes need a second pair of eyes",
}
PEOPLE: dict[str, Any] = {
    "users": [
        {"email": "alice@example.com", "role": "developer", "api_keys": ["${ALICE_KEY}"]},
        {"email": "bob@example.com", "role": "lead", "api_keys": ["${BOB_KEY}"]},
        {"email": "carol@example.com", "role": "developer", "api_keys": ["${CAROL_KEY}"]},
        {"email": "mallory@example.com", "role": "lead", "api_keys": ["${MALLORY_KEY}"]},
    ],
    "roles": {"developer": EVERYTHING, "lead": EVERYTHING},
    "policies": [POLICY],
}


class CarefulTown(Town):
    """Alice and Carol may do everything, but change things only if Bob or Mallory agrees."""

    def __init__(self, upstream: str, home: Path, hold: str = "0s") -> None:
        config = {
            **PEOPLE,
            "approvals": {"hold": hold},
            "mcpServers": {
                "scripted": server(upstream),
                "cached": server(upstream, cache={"ttl": 300}),
            },
        }
        super().__init__(config, home)
        # Links are made from the address people use.
        self.config["server"] = {"public_url": f"http://127.0.0.1:{self.port}"}
        self.write(self.config)

    def changed(self, **parts: Any) -> None:
        """Another configuration is in force."""
        known = self.output().count("config.reloaded")
        self.config = {**self.config, **parts}
        self.write(self.config)
        self.hang_up()
        assert within(60, lambda: self.output().count("config.reloaded") > known)

    def decide(self, id: str, what: str, by: str = "BOB", **body: Any) -> tuple[int, Any]:
        """Over the API, as a person of this name: status and answer."""
        return self.api("POST", f"/approvals/{id}/{what}", by, body)

    def state(self, id: str) -> str:
        """What the requester's side says of it."""
        with closing(sqlite3.connect(self._database())) as found:
            row = found.execute("SELECT state FROM approvals WHERE id = ?", (id,)).fetchone()
        return str(row[0])

    def time_is_over(self, id: str) -> None:
        """As when its quarter of an hour has passed."""
        with closing(sqlite3.connect(self._database(), timeout=60)) as found, found:
            found.execute("UPDATE approvals SET expires = 1 WHERE id = ?", (id,))

    def _database(self) -> Path:
        return next(self.data.rglob("*.db"))

    def api(self, method: str, path: str, by: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1{path}",
            method=method,
            data=json.dumps(body).encode() if method == "POST" else None,
            headers={"apikey": KEYS[f"{by}_KEY"], "content-type": "application/json"},
        )
        status, text = fetched(request)
        return status, json.loads(text)

    def ends(self, id: str) -> list[str]:
        """What the records say became of a request, in order; the house ends some by itself."""
        return [
            str(each["operation"])
            for each in Gateway.records(self)
            if each["operation"].startswith("approval.") and id in json.dumps(each)
        ]


def fetched(request: urllib.request.Request | str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=60) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


@dataclass(frozen=True)
class Pending:
    """What a caller is told who has to come back."""

    id: str
    url: str
    text: str


def pending(answer: Answer) -> Pending:
    """Fails when the call was not held."""
    result = answer.message["result"]
    assert result["isError"] is True, answer
    about = result["_meta"]["torhaus/approval"]
    assert about["state"] == "pending", about
    return Pending(about["id"], about["url"], result["content"][0]["text"])


def code(answer: Answer) -> str:
    """Why it was refused."""
    return str(answer.message["result"]["_meta"]["torhaus/verdict"]["code"])


def form_of(page: str) -> str:
    found = re.search(r'name="form" value="([^"]*)"', page)
    assert found is not None, page
    return found.group(1)


def posted(url: str, **fields: str) -> tuple[int, str]:
    """A form of the decision page."""
    data = urllib.parse.urlencode(fields).encode()
    return fetched(urllib.request.Request(url, data=data))


def create(town: CarefulTown, who: str = "ALICE", **arguments: object) -> Answer:
    with town.caller(who) as caller:
        return caller.tool("create_note", {**NOTE, **arguments})


def sent(upstream: Upstream) -> int:
    return len(upstream.calls("create_note"))
