"""What an identity provider says of somebody who comes in, kept for the servers that go by it."""

from typing import Any

from torhaus.admin.acts import Burnt, Effect, Refusal, Scene
from torhaus.admin.perform import Work
from torhaus.admin.safe import Safe
from torhaus.admin.signin.acts import Arrive
from torhaus.admin.signin.linking import arrive
from torhaus.model.desk import Desk
from torhaus.model.signin import Identity
from torhaus.model.vault import Content, Kept, VaultKind, identity_of


def vouching(safe: Safe) -> dict[type, Work]:
    """`arrive`, and in the same transaction what is kept of it: both or nothing."""

    async def work(desk: Desk, scene: Scene, act: Any) -> Effect | Refusal | Burnt:
        provider = act.identity.provider
        if not any(each.vouched == provider for each in scene.rules.servers.values()):
            return await arrive(desk, scene, act)
        key = await safe.key(desk, scene.now)
        done = await arrive(desk, scene, act)
        if isinstance(done, Effect) and done.result is not None and act.identity.id_token_hint:
            await _keep(desk, scene, act.identity, safe, key)
        return done

    return {Arrive: work}


async def _keep(desk: Desk, scene: Scene, identity: Identity, safe: Safe, key: str) -> None:
    """In the place of what was kept of a former sign-in."""
    where, email = identity_of(identity.provider), scene.actor.email
    former = await desk.vault.of(where, email)
    for each in former:
        await desk.vault.remove(each.id)
    kept = Kept(
        id=f"{scene.id}-idp",
        server=where,
        email=email,
        name=identity.provider,
        kind=VaultKind.IDENTITY,
        version=max((each.version for each in former), default=0) + 1,
        key_id="",
        sealed=b"",
        issuer=identity.issuer,
        account=identity.subject,
        created=scene.now,
        created_by=email,
        rotated=scene.now,
        expires=identity.ends,
    )
    content = Content(value=identity.id_token_hint, refresh=identity.refresh)
    await desk.vault.add(safe.sealed(kept, content, key))
