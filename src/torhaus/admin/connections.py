"""Accounts at servers that people connect: the links they follow, and what is kept of it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.halted import halted
from torhaus.admin.safe import Safe
from torhaus.admin.vaulting import Changed
from torhaus.audit.acts import Act
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.connecting import Connected
from torhaus.model.desk import Desk
from torhaus.model.people import Principal
from torhaus.model.person import PersonState
from torhaus.model.ports import NotConnected
from torhaus.model.servers import Acting, HttpAddress, Server
from torhaus.model.texts import filled, marked
from torhaus.model.vault import Kept, VaultKind
from torhaus.policy.approvers import active, is_person, is_same
from torhaus.policy.keepers import may_keep

__all__ = ["ConnectLinks", "KeepConnection", "SealError", "Wish", "connecting", "may_connect"]

ENDED = marked("your access has ended")
LIFETIME = 3600.0
"""Seconds for which a link is good."""
JOURNEY = 900.0
"""Seconds for the way to the authorization server and back."""


class Wish(msgspec.Struct, frozen=True, array_like=True):
    """Who is to connect what. `scope`: what the server asked for besides."""

    server: str
    email: str
    shared: bool = False
    scope: str = ""


class Way(msgspec.Struct, frozen=True, array_like=True):
    """Somebody is at the authorization server. `private`: see `Journey`.

    `shown`: what records call the credential he set out with.
    """

    wish: Wish
    private: dict[str, str]
    shown: str = ""


_encode = msgspec.msgpack.Encoder().encode
_wish = msgspec.msgpack.Decoder(Wish).decode
_way = msgspec.msgpack.Decoder(Way).decode


class ConnectLinks:
    """`origin`: where people reach us, without a trailing slash; None where nobody knows."""

    def __init__(self, sealer: Sealer, origin: Callable[[], str | None]) -> None:
        self._sealer = sealer
        self._origin = origin

    def callback(self) -> str:
        return f"{self._origin() or ''}/connect/callback"

    def document(self) -> str:
        """Where authorization servers read who we are; empty where they cannot."""
        origin = self._origin() or ""
        return f"{origin}/connect/client.json" if origin.startswith("https://") else ""

    def url(self, wish: Wish, now: float) -> str | None:
        origin = self._origin()
        if origin is None:
            return None
        token = self._sealer.seal(_encode(wish), binding("connect link"), now + LIFETIME)
        return f"{origin}/connect/{quote(wish.server, safe='')}?t={token}"

    def sign_in(self, provider: str) -> str | None:
        origin = self._origin()
        return None if origin is None else f"{origin}/login/{quote(provider, safe='')}"

    def wish(self, token: str, now: float) -> Wish:
        """Raises SealError."""
        return _wish(self._sealer.unseal(token, binding("connect link"), now))

    def form(self, token: str, now: float) -> str:
        """What a form on the link's page carries, so that no other page can post it."""
        return self._sealer.seal(b"", binding("connect form", token), now + LIFETIME)

    def check_form(self, token: str, sealed: str, now: float) -> None:
        """Raises SealError."""
        self._sealer.unseal(sealed, binding("connect form", token), now)

    def sealed(self, way: Way, now: float) -> str:
        """For a cookie: no other browser can end what this one began."""
        return self._sealer.seal(_encode(way), binding("connect journey"), now + JOURNEY)

    def way(self, sealed: str, now: float) -> Way:
        """Raises SealError."""
        return _way(self._sealer.unseal(sealed, binding("connect journey"), now))


class KeepConnection(msgspec.Struct, frozen=True, kw_only=True):
    """Keep the tokens that somebody brought back."""

    wish: Wish
    connected: Connected


Keeping = Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]


def connecting(safe: Safe) -> Mapping[type, Keeping]:
    async def keep(desk: Desk, scene: Scene, act: KeepConnection) -> Effect | Refusal:
        wish, connected = act.wish, act.connected
        kind = VaultKind.OAUTH_SHARED if wish.shared else VaultKind.OAUTH_USER
        facts = {"kind": kind.value, "issuer": connected.issuer[:200]}
        tried = Act(operation="credential.connected", server=wish.server[:128], facts=facts)
        why = may_connect(scene.actor, scene.rules.servers.get(wish.server), wish, scene.now)
        why = why or await halted(desk, scene.actor.email, scene.now)
        if why is not None:
            return Refusal("not_allowed", why, tried)
        email = "" if wish.shared else scene.actor.id
        key = await safe.key(desk, scene.now)  # his leaving waits for us, or we have for it
        person = await desk.persons.get(scene.actor.email)
        if person is not None and person.state is not PersonState.ACTIVE:
            return Refusal("not_allowed", ENDED, tried)
        former = [each for each in await desk.vault.of(wish.server, email) if each.kind is kind]
        for each in former:
            await desk.vault.remove(each.id)
        kept = Kept(
            id=scene.id,
            server=wish.server,
            email=email,
            kind=kind,
            version=max((each.version for each in former), default=0) + 1,
            key_id="",
            sealed=b"",
            issuer=connected.issuer,
            created=scene.now,
            created_by=scene.actor.email,
            rotated=scene.now,
            expires=connected.expires,
        )
        kept = safe.sealed(kept, connected.content, key)
        await desk.vault.add(kept)
        before = {"id": former[0].id} if former else None
        done = msgspec.structs.replace(tried, before=before, after={"id": kept.id})
        rule = f"admin on {wish.server}" if wish.shared else "own connection"
        return Effect(result=Changed(wish.server, email, kept), act=done, rule=rule)

    return {KeepConnection: keep}


def may_connect(actor: Principal, server: Server | None, wish: Wish, now: float) -> str | None:
    """None when he may connect this account; otherwise why not, as a sentence."""
    why = _nothing_to_connect(server, wish)
    if why is not None:
        return why
    if wish.shared:
        return may_keep(actor, wish.server, now)
    if not active(actor, now) or not is_person(actor):
        return ENDED
    if not is_same(actor, wish.email, wish.email):
        text = marked("this link is for {email}: ask for one of your own")
        return filled(text, email=wish.email)
    if not actor.phase(now).on(wish.server).allows:
        return filled(marked("you may not use {server}"), server=wish.server)
    return None


def _nothing_to_connect(server: Server | None, wish: Wish) -> str | None:
    if server is None:
        return filled(marked("there is no server {server}"), server=repr(wish.server[:128]))
    address = server.address
    if not isinstance(address, HttpAddress) or address.oauth is None:
        return filled(marked("nobody connects an account to {server}"), server=wish.server)
    oauth = address.oauth
    if oauth.provider and not wish.shared:
        text = marked("nobody connects an account to {server}: {provider} vouches for you")
        return filled(text, server=wish.server, provider=oauth.provider)
    used = {oauth.mode, *(who for _, who in oauth.tools)}
    if (Acting.SHARED if wish.shared else Acting.USER) not in used:
        return filled(marked("no call to {server} uses such an account"), server=wish.server)
    return None


def linking(
    links: ConnectLinks, servers: Callable[[], Mapping[str, Server]], clock: Callable[[], float]
) -> Callable[[Principal, str, NotConnected], str | None]:
    """Where a caller connects what is missing, or signs in; None where he cannot."""

    def link(caller: Principal, server: str, missing: NotConnected) -> str | None:
        now = clock()
        if missing.provider or missing.barred:
            helps = not missing.barred and active(caller, now) and is_person(caller)
            return links.sign_in(missing.provider) if helps else None
        wish = Wish(server, caller.id, missing.shared, missing.scope)
        if may_connect(caller, servers().get(server), wish, now) is not None:
            return None
        return links.url(wish, now)

    return link
