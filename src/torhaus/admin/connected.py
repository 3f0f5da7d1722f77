"""Which servers want an account of each person, and whether he has connected his."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from torhaus.admin.connections import ConnectLinks, Wish, may_connect
from torhaus.admin.means import Means
from torhaus.model.desk import Desk
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.vault import Kept, Standing, VaultKind, identity_of
from torhaus.policy.approvers import active, is_person


class ServerAccount(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: connected, missing or troubled. `account`: what it is called there.

    `connect`: the address of ours where it is connected. `through`: the identity provider that
    vouches for him there, by its label; then there is nothing to connect but to sign in.
    """

    server: str
    state: str
    account: str = ""
    trouble: str = ""
    connect: str = ""
    through: str = ""


async def connected(means: Means, links: ConnectLinks, who: Principal) -> Sequence[ServerAccount]:
    """By name, those that the person may use. Raises StateError."""
    rules, now = means.rules(), means.clock()
    async with means.office.read() as desk:
        every = [
            await _state(desk, rules, links, each, who, now) for each in rules.servers.values()
        ]
    return sorted((each for each in every if each is not None), key=lambda each: each.server)


async def _state(
    desk: Desk, rules: Rules, links: ConnectLinks, server: Server, who: Principal, now: float
) -> ServerAccount | None:
    """None where there is nothing to connect, or not for him."""
    wish = Wish(server.name, who.email)
    if server.vouched and server.personal:
        if not may_use(who, server.name, now):
            return None
        return _through(rules, server, await desk.vault.of(identity_of(server.vouched), who.email))
    if may_connect(who, server, wish, now) is not None:
        return None
    rows = await desk.vault.of(server.name, who.email)
    kept = next((each for each in rows if each.state is Standing.CURRENT), None)
    return _account(server.name, kept, links.url(wish, now) or "")


def may_use(who: Principal, server: str, now: float) -> bool:
    return active(who, now) and is_person(who) and bool(who.phase(now).on(server).allows)


def _through(rules: Rules, server: Server, rows: Sequence[Kept]) -> ServerAccount:
    name = server.vouched
    kept = next((each for each in rows if each.kind is VaultKind.IDENTITY), None)
    state = "missing" if kept is None else "troubled" if kept.trouble else "connected"
    labels = {each.name: each.label for each in rules.providers}
    return ServerAccount(
        server=server.name,
        state=state,
        trouble="" if kept is None else kept.trouble,
        connect="" if state == "connected" else f"/login/{name}?next=/me/servers",
        through=labels.get(name, name),
    )


def _account(server: str, kept: Kept | None, link: str) -> ServerAccount:
    parts = urlsplit(link)
    connect = f"{parts.path}?{parts.query}" if link else ""
    if kept is None:
        return ServerAccount(server=server, state="missing", connect=connect)
    state = "troubled" if kept.trouble else "connected"
    return ServerAccount(
        server=server,
        state=state,
        account=kept.account,
        trouble=kept.trouble,
        connect=connect if kept.trouble else "",
    )
