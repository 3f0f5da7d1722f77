"""People with access, of each sort that there is: who owns them, and how they came."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.stories.caller import Caller
from tests.stories.directory import TOKEN, Directory
from tests.stories.ending import Desk
from tests.stories.idp import Idp
from tests.stories.signing import Program
from tests.stories.town import PEOPLE, Town, server
from tests.stories.upstream import Upstream, within
from tests.stories.uses import Use
from torhaus.identity.keys import mint

DATABASE, FILE, DIRECTORY, PROVIDER, SERVICE = (
    "database",
    "file",
    "directory",
    "provider",
    "service",
)
"""An administrator has added him; the file names him; a directory has pushed him over SCIM; he came
by the groups of an identity provider; it is no person but a program."""
AGENT, AGENT_SECRET = "agent", "agent-secret-5d1c0be24f7a4a0c9a33"


@dataclass
class Held:
    """Of one person. `uses`: by credential and what is done with it; `streams`: those open.

    `keys`: ids of his keys by what they are called in `uses`. `families`: his browser session and
    the consent he gave in it. `user`, `group`: what the directory knows him by. `responsible`: who
    answers for a program.
    """

    email: str
    number: int
    keys: dict[str, str] = field(default_factory=dict)
    families: tuple[str, ...] = ()
    user: str = ""
    group: str = ""
    responsible: str = ""
    uses: dict[str, Use] = field(default_factory=dict)
    streams: dict[str, Caller] = field(default_factory=dict)


def secret(prefix: str, what: str, number: int) -> str:
    return mint(sha256(f"{what} {number}".encode()).digest(), prefix)


def key_of_file(number: int) -> str:
    return f"file-key-{number}-6b0f1ae2c4d94c7b"


def named(sort: str, number: int) -> str:
    return f"{sort}{number}@example.com"


def configuration(upstream: Upstream, news: Upstream, idp: Idp, people: int) -> dict[str, Any]:
    """With so many people whom the file names, none of whom has been anybody yet."""
    maker = {"permissions": ["*:read", "*:write", "torhaus:people:admin"]}
    makers = [
        {"email": named(FILE, each), "role": "maker", "api_keys": [key_of_file(each)]}
        for each in range(people)
    ]
    account = {"type": "oauth", "mode": "user", "issuer": idp.issuer}
    account |= {"client_id": "torhaus-there", "client_secret": "another-of-no-use"}
    source = {"name": "okta", "token": TOKEN, "groups": {"Makers": "maker"}, "rate": 100_000}
    agent = {"id": AGENT, "name": "Agent", "secret": AGENT_SECRET}
    return {
        "users": [*PEOPLE["users"], *makers],
        "roles": {**PEOPLE["roles"], "maker": maker},
        "policies": [
            {
                "name": "four eyes",
                "applies_to": [{"role": "maker"}, {"actions": ["write"]}],
                "action": "require_approval",
                "approvers": ["admin"],
                "reason": "somebody else looks",
            }
        ],
        "approvals": {"hold": "0s"},
        "auth": {
            "oidc": idp.config(groups={"makers": "maker"}),
            "scim": [source],
            "server": {"dcr": {"rate": 1000}, "clients": [agent], "id_jag": ["oidc"]},
        },
        "egress": {"allow": ["loopback"]},
        "mcpServers": {
            "scripted": server(upstream.url),
            "news": server(news.url, era="legacy"),
            "linked": {"url": idp.server, "auth": account},
        },
    }


class Place:
    """A gateway with everybody and everything that access can come from, or end by."""

    def __init__(self, town: Town, upstream: Upstream, idp: Idp) -> None:
        self.town, self.upstream, self.idp = town, upstream, idp
        self.desk = Desk(town)
        self.program = Program(town.port)
        self.program.register()
        self.agent = Program(town.port, client_id=AGENT)
        self.number = 0
        self._of_file = 0

    def somebody(self, sort: str) -> Held:
        """Somebody new of this sort, who holds nothing yet."""
        self.number += 1
        number = self.number
        if sort == FILE:
            number, self._of_file = self._of_file, self._of_file + 1
        held = Held(named(sort, number), self.number)
        held.families = (f"session{self.number}", f"consent{self.number}")
        SORTS[sort](self, held)
        return held

    def with_file(
        self, email: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]
    ) -> None:
        """Somebody of the file is another, or gone, once this returns."""
        users = [
            changed
            for each in self.town.config["users"]
            if (changed := change(each) if each["email"] == email else each) is not None
        ]
        self.town.config = {**self.town.config, "users": users}
        told = self.town.log.stat().st_size
        self.town.write(self.town.config)
        self.town.hang_up()
        assert within(60, lambda: b"config.reloaded" in _since(self.town.log, told))


def _since(log: Path, start: int) -> bytes:
    with log.open("rb") as lines:
        lines.seek(start)
        return lines.read()


def _pushed(at: Place, held: Held) -> None:
    """With a group of his own, which the file calls Makers."""
    with Directory(at.town.port) as okta:
        held.user = okta.user(held.email)
        held.group = okta.group(f"Team {held.number}", held.user, externalId="Makers")


def _signed_in(at: Place, held: Held) -> None:
    page = at.idp.sign_in(at.town.port, held.email, "makers")
    assert (page.status, page.url.endswith("/me")) == (200, True), page.words


def _program(at: Place, held: Held) -> None:
    held.responsible = f"answers{held.number}@example.com"
    at.desk.hire(held.responsible)
    told = {"kind": "service", "roles": ["maker"], "responsible": held.responsible}
    at.desk.do("POST", "people", {"email": held.email, **told})


SORTS: dict[str, Callable[[Place, Held], None]] = {
    DATABASE: lambda at, held: at.desk.hire(held.email, "maker"),
    FILE: lambda at, held: None,
    DIRECTORY: _pushed,
    PROVIDER: _signed_in,
    SERVICE: _program,
}
