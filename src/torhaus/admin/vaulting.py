"""Acts on credentials for servers: put, rotate, roll back, remove. None shows what is secret."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.safe import Safe, SealedError
from torhaus.audit.acts import Act
from torhaus.audit.shape import timestamp
from torhaus.model.desk import Desk
from torhaus.model.secret import Secret
from torhaus.model.servers import HttpAddress, Server
from torhaus.model.vault import TYPED, Content, Kept, Standing, VaultKind
from torhaus.policy.approvers import is_same
from torhaus.policy.keepers import may_keep


class PutCredential(msgspec.Struct, frozen=True, kw_only=True):
    """Keep the first credential of a server. `username`: for basic; `name`: of the header."""

    server: str
    kind: VaultKind
    secret: Secret
    username: str = ""
    name: str = ""


class RotateCredential(msgspec.Struct, frozen=True, kw_only=True):
    """Put another in its place; the former one stands beside it for a while."""

    server: str
    secret: Secret
    username: str | None = None


class RollBackCredential(msgspec.Struct, frozen=True):
    """Use the former one again, and let the new one stand beside it."""

    server: str


class RemoveCredential(msgspec.Struct, frozen=True):
    """Forget it, with its former version. `email`: one person's; empty: everybody's.

    With everybody's goes how Torhaus is registered there, so that it registers anew.
    """

    server: str
    email: str = ""


class Changed(msgspec.Struct, frozen=True):
    """`current`: what is used from now on; None after removal."""

    server: str
    email: str
    current: Kept | None


Work = Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]


def vaulting(safe: Safe) -> Mapping[type, Work]:
    """The acts and what carries them out."""
    sealing = _Sealing(safe)
    return {
        PutCredential: sealing.put,
        RotateCredential: sealing.rotate,
        RollBackCredential: roll_back,
        RemoveCredential: remove,
    }


class _Sealing:
    def __init__(self, safe: Safe) -> None:
        self._safe = safe

    async def put(self, desk: Desk, scene: Scene, act: PutCredential) -> Effect | Refusal:
        tried = _act("credential.stored", act.server, kind=act.kind.value)
        refused = _refused(scene, act.server, tried, act.kind)
        if refused is not None:
            return refused
        key = await self._safe.key(desk, scene.now)
        if any(each.kind in TYPED for each in await desk.vault.of(act.server, "")):
            text = f"{act.server} has a stored credential already"
            fix = f"rotate it: torhaus secrets rotate {act.server}"
            return Refusal("conflict", text, tried, fix)
        wrong = _wrong(act.kind, act.secret, act.username, act.name)
        if wrong is not None:
            return Refusal("invalid", wrong, tried)
        kept = _new(scene, act.server, act.kind, act.name)
        content = Content(value=act.secret.reveal(), username=act.username)
        kept = self._safe.sealed(kept, content, key)
        await desk.vault.add(kept)
        return _effect(tried, None, kept)

    async def rotate(self, desk: Desk, scene: Scene, act: RotateCredential) -> Effect | Refusal:
        tried = _act("credential.rotated", act.server)
        refused = _refused(scene, act.server, tried)
        if refused is not None:
            return refused
        key = await self._safe.key(desk, scene.now)
        current, former = await _versions(desk, act.server)
        if current is None:
            return _nothing(act.server, tried)
        username = self._username(current) if act.username is None else act.username
        wrong = _wrong(current.kind, act.secret, username, current.name)
        if wrong is not None:
            return Refusal("invalid", wrong, tried)
        if former is not None:
            await desk.vault.remove(former.id)
        await desk.vault.move(current.id, Standing.CURRENT, Standing.PREVIOUS)
        kept = _new(scene, act.server, current.kind, current.name)
        kept = msgspec.structs.replace(kept, version=current.version + 1, created=current.created)
        content = Content(value=act.secret.reveal(), username=username)
        kept = self._safe.sealed(kept, content, key)
        await desk.vault.add(kept)
        return _effect(tried, current, kept)

    def _username(self, current: Kept) -> str:
        try:
            return self._safe.opened(current).username
        except SealedError:
            return ""  # a rotation is how one gets out of that


async def roll_back(desk: Desk, scene: Scene, act: RollBackCredential) -> Effect | Refusal:
    tried = _act("credential.rolled_back", act.server)
    refused = _refused(scene, act.server, tried)
    if refused is not None:
        return refused
    await desk.vault.turn()
    current, former = await _versions(desk, act.server)
    if current is None:
        return _nothing(act.server, tried)
    if former is None:
        text = f"{act.server} has no former credential: it was never rotated"
        return Refusal("conflict", text, tried, "rotate it to another one instead")
    await desk.vault.move(current.id, Standing.CURRENT, Standing.PREVIOUS)
    await desk.vault.move(former.id, Standing.PREVIOUS, Standing.CURRENT)
    back = msgspec.structs.replace(former, state=Standing.CURRENT)
    return _effect(tried, current, back)


async def remove(desk: Desk, scene: Scene, act: RemoveCredential) -> Effect | Refusal:
    tried = _act(
        "credential.removed", act.server, **({"user": act.email[:128]} if act.email else {})
    )
    own = bool(act.email) and is_same(scene.actor, act.email, act.email)
    why = None if own else may_keep(scene.actor, act.server, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    await desk.vault.turn()
    gone = await desk.vault.of(act.server, act.email)
    if not gone:
        return _nothing(act.server, tried)
    for each in gone:
        if each.kind is VaultKind.IDENTITY:  # with the tokens that came of it
            await desk.vault.disown(each.name, each.email)
        else:
            await desk.vault.remove(each.id)
    done = msgspec.structs.replace(tried, before=_told(gone[0]), after={"kept": 0})
    return Effect(
        result=Changed(act.server, act.email, None),
        act=done,
        rule="own connection" if own else f"admin on {act.server}",
    )


async def _versions(desk: Desk, server: str) -> tuple[Kept | None, Kept | None]:
    found = [each for each in await desk.vault.of(server, "") if each.kind in TYPED]
    by_state = {each.state: each for each in found}
    return by_state.get(Standing.CURRENT), by_state.get(Standing.PREVIOUS)


def _refused(scene: Scene, name: str, tried: Act, kind: VaultKind | None = None) -> Refusal | None:
    why = may_keep(scene.actor, name, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    server = scene.rules.servers.get(name)
    if server is None:
        return Refusal("not_found", f"there is no server {name[:128]!r}", tried)
    if kind is not None and kind not in TYPED:
        text = f"a credential of the kind {kind.value} comes from its authorization server"
        return Refusal("invalid", text, tried, "connect it in a browser")
    if not _stored(server):
        text = f"{name} does not use a stored credential"
        fix = f"write `auth: {{type: stored}}` under mcpServers.{name}"
        return Refusal("conflict", text, tried, fix)
    return None


def _stored(server: Server) -> bool:
    address = server.address
    return isinstance(address, HttpAddress) and address.stored


def _wrong(kind: VaultKind, secret: Secret, username: str, name: str) -> str | None:
    value = secret.reveal()
    if not value or len(value) > 16384 or not all(" " <= c <= "~" for c in value):
        return "the secret is empty, too long, or holds letters that no header can carry"
    if not all(" " <= c <= "~" for c in username + name) or len(username) + len(name) > 512:
        return "the user name or header name holds letters that no header can carry"
    if kind is VaultKind.BASIC and (not username or ":" in username):
        return "basic needs a user name without a colon"
    if kind is VaultKind.HEADER and not name:
        return "header needs the name of the header"
    if kind is VaultKind.BEARER and " " in value:
        return "a bearer token holds no spaces: give the token alone"
    return None


def _new(scene: Scene, server: str, kind: VaultKind, name: str) -> Kept:
    return Kept(
        id=scene.id,
        server=server,
        name=name,
        kind=kind,
        key_id="",
        sealed=b"",
        created=scene.now,
        created_by=scene.actor.email,
        rotated=scene.now,
    )


def _nothing(server: str, tried: Act) -> Refusal:
    text = f"{server[:128]} has no stored credential"
    return Refusal("not_found", text, tried, f"put one: torhaus secrets put {server[:128]}")


def _act(operation: str, server: str, **facts: str) -> Act:
    return Act(operation=operation, server=server[:128], facts=facts)


def _effect(tried: Act, before: Kept | None, after: Kept) -> Effect:
    then = None if before is None else _told(before)
    done = msgspec.structs.replace(tried, before=then, after=_told(after))
    return Effect(
        result=Changed(after.server, after.email, after),
        act=done,
        rule=f"admin on {after.server}",
    )


def _told(kept: Kept) -> dict[str, Any]:
    return {
        "id": kept.id,
        "kind": kept.kind.value,
        "version": kept.version,
        "since": timestamp(kept.rotated),
    }
