"""What records and people are told of clients and consents."""

from typing import Any

from torhaus.admin.acts import Refusal, Scene
from torhaus.audit.acts import Act
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.credentials import Family
from torhaus.model.oauth import Client
from torhaus.policy.approvers import administrators

MOST_TOLD = 50


def client_facts(client: Client) -> dict[str, Any]:
    return {"client": client.id[:512], "client_name": client.name}


def family_facts(family: Family, audience: str) -> dict[str, Any]:
    return {
        "family": family.id,
        "client": (family.client_id or "")[:512],
        "client_name": family.label,
        "audience": audience or "everything",
    }


def denied(operation: str, code: str, text: str, facts: dict[str, Any]) -> Refusal:
    """`code`: what the client is told, an OAuth error's name."""
    return Refusal(code, text, Act(operation=operation, facts=facts))


def reuse(family: Family, scene: Scene, what: str) -> Announcement:
    """For the person, and for whoever may look into it."""
    admins = administrators(scene.rules, "*", scene.now)
    name = family.label or family.client_id or "a client"
    return Announcement(
        kind=Kind.TOKEN_REUSED,
        text=f"A {what} that {name} had for {family.email} was used a second time. It may have "
        "been copied, so everything this consent gave has ended: the client has to sign in anew.",
        at=scene.now,
        to=tuple(dict.fromkeys((family.email, *admins)))[:MOST_TOLD],
        facts={"email": family.email, "family": family.id, "client": family.client_id or ""},
    )
