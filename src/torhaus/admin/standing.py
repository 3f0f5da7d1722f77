"""What the state database says of somebody, read in one transaction."""

from torhaus.model.desk import Desk
from torhaus.model.standing import Standing


async def standing(desk: Desk, email: str, key: str, now: float) -> Standing:
    """`email` may be empty where a key of the database names its owner. Raises StateError."""
    kept = await desk.credentials.named(key) if key else None
    email = email.lower() or ("" if kept is None else kept.credential.email)
    return Standing(
        email=email,
        person=await desk.persons.get(email),
        key=key,
        kept=kept,
        grants=tuple(each for each in await desk.access.in_force(now) if each.user == email),
        teams=tuple(await desk.teams.every()),
        members=tuple(await desk.teams.of(email)),
        stops=tuple(await desk.stops.in_force(now)),
    )
