"""A hall whose servers have stored credentials."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import Hall, play, rules
from tests.torhaus.cast import github, run
from torhaus.admin.vaulting import PutCredential, RotateCredential
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting, HttpAddress, OAuthAccess, Server
from torhaus.model.vault import Kept, VaultKind

OLD, NEW, NEWER = (f"canary-{name}-token-0123456789" for name in ("old", "new", "newer"))
PUT = PutCredential(server="github", kind=VaultKind.BEARER, secret=Secret(OLD))
ROTATE = RotateCredential(server="github", secret=Secret(NEW))


def stored(name: str = "github") -> Server:
    address = HttpAddress(url=f"http://{name}.example/mcp", stored=True)
    return msgspec.structs.replace(github(name=name), address=address)


def play_with(path: Path, story: Callable[[Hall], Awaitable[None]]) -> None:
    async def ready(hall: Hall) -> None:
        hall.rules = rules(servers={"github": stored(), "jira": github(name="jira")})
        await story(hall)

    run(play(path, ready))


def personal(name: str = "github", **oauth: Any) -> Server:
    access = OAuthAccess(**{"mode": Acting.USER, **oauth})
    address = HttpAddress(url=f"http://{name}.example/mcp", oauth=access)
    return msgspec.structs.replace(github(name=name), address=address)


async def rows(hall: Hall) -> list[Kept]:
    async with hall.office.read() as desk:
        return await desk.vault.every(100)
