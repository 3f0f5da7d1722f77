"""Programs register themselves; that gives them nothing but a name."""

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.oauth.acts import RegisterClient
from torhaus.admin.oauth.facts import client_facts
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk


async def register_client(desk: Desk, scene: Scene, act: RegisterClient) -> Effect | Refusal:
    """The oldest that nobody ever let in makes room: the table stays bounded, whoever asks."""
    client = msgspec.structs.replace(act.client, created=scene.now)
    tried = Act(operation="client.registered", facts=client_facts(client))
    if await desk.clients.count() >= act.most and not await desk.clients.forget_oldest():
        text = f"{act.most} clients are registered and in use; more are not taken"
        return Refusal("temporarily_unavailable", text, tried)
    await desk.clients.add(client)
    told = {"kind": client.kind, "redirect_uris": list(client.redirect_uris)}
    done = Act(operation=tried.operation, facts=tried.facts, after=told)
    return Effect(result=client, act=done, rule="registration is open")
