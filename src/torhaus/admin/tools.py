"""Acts on the pinned catalogue: what a server offers is accepted, or it is not."""

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk
from torhaus.model.pins import Definition, Pin
from torhaus.policy import pins
from torhaus.policy.approvers import may_administer


class AcceptTool(msgspec.Struct, frozen=True):
    """Let this definition be what the tool is from now on. `digest`: what was looked at."""

    server: str
    name: str
    digest: str


class RejectTool(msgspec.Struct, frozen=True):
    """Let nobody call the tool while this is what its server says of it."""

    server: str
    name: str
    digest: str


Decision = AcceptTool | RejectTool


async def accept_tool(desk: Desk, scene: Scene, act: AcceptTool) -> Effect | Refusal:
    tried = _act("catalogue.tool.accepted", act)
    found = await _waiting(desk, scene, act, tried)
    if isinstance(found, Refusal):
        return found
    pin, offered = found
    accepted = pins.accepted(pin, offered, scene.actor.email, scene.now)
    if not await desk.tools.accept(accepted, scene.now):
        return _changed(act, tried)
    return _effect(tried, pin, accepted)


async def reject_tool(desk: Desk, scene: Scene, act: RejectTool) -> Effect | Refusal:
    tried = _act("catalogue.tool.rejected", act)
    found = await _waiting(desk, scene, act, tried)
    if isinstance(found, Refusal):
        return found
    rejected = pins.rejected(found[0])
    if not await desk.tools.reject(rejected, scene.now):
        return _changed(act, tried)
    return _effect(tried, found[0], rejected)


async def _waiting(
    desk: Desk, scene: Scene, act: Decision, tried: Act
) -> tuple[Pin, Definition] | Refusal:
    if act.server not in scene.rules.servers:
        return Refusal("not_found", f"there is no server {act.server[:128]!r}", tried)
    why = may_administer(scene.actor, act.server, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    pin = await desk.tools.get(act.server, act.name)
    if pin is None:
        text = f"{act.server} has never listed a tool {act.name[:128]!r}"
        return Refusal("not_found", text, tried, f"see `torhaus tools {act.server}`")
    if pin.offered is None:
        text = f"{pin.name} is as it was accepted: there is nothing to decide"
        return Refusal("conflict", text, tried)
    if pin.offered.digest != act.digest:
        return _changed(act, tried)
    return pin, pin.offered


def _changed(act: Decision, tried: Act) -> Refusal:
    text = f"{act.server} offers another {act.name[:128]} than the one you have looked at"
    fix = f"look again: `torhaus tools diff {act.server} {act.name[:128]}`"
    return Refusal("conflict", text, tried, fix)


def _act(operation: str, act: Decision) -> Act:
    facts = {"tool": act.name[:128], "digest": act.digest[:64]}
    return Act(operation=operation, server=act.server[:128], facts=facts)


def _effect(tried: Act, before: Pin, after: Pin) -> Effect:
    done = msgspec.structs.replace(tried, before=_state(before), after=_state(after))
    return Effect(result=after, act=done, rule=f"admin on {after.server}")


def _state(pin: Pin) -> dict[str, str | None]:
    digest = None if pin.accepted is None else pin.accepted.digest
    return {"standing": pin.standing.value, "accepted": digest}
