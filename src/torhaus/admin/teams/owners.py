"""Whose a team is: the file's groups and those of identity providers are not changed here."""

from torhaus.admin.acts import Refusal, Scene
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk
from torhaus.model.person import Team
from torhaus.model.provisioning import GROUP, Sought
from torhaus.model.rules import Rules


async def own(desk: Desk, scene: Scene, name: str, tried: Act) -> Team | Refusal:
    """The team of this name, if it is one of the database."""
    refusal = of_file(scene.rules, name, tried)
    if refusal is not None:
        return refusal
    found = await desk.teams.get(name)
    if found is not None:
        return found
    pushed = await of_provider(desk, scene.rules, name, tried)
    return pushed or Refusal("not_found", "there is no such team", tried)


def of_file(rules: Rules, name: str, tried: Act) -> Refusal | None:
    """Why a group of the file is not changed here; None for every other name."""
    if not any(each.name == name for each in rules.teams):
        return None
    fix = f"change groups.{name} in the configuration"
    return Refusal("conflict", "the file says who is in this group and what it gives", tried, fix)


async def of_provider(desk: Desk, rules: Rules, name: str, tried: Act) -> Refusal | None:
    """Why a group that a provider pushes is not changed here; None for every other name."""
    for source in rules.scim:
        sought = Sought(source=source.name, kind=GROUP, name=name.lower())
        if await desk.provisioned.count(sought):
            fix = "change its members there, and what it gives under auth.scim"
            return Refusal("conflict", f"{source.owner} says who is in this group", tried, fix)
    return None
