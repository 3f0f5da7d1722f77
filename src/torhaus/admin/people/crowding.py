"""How much one person can have at once: whoever begins one more ends what rested longest."""

from collections.abc import Iterable

import msgspec

from torhaus.admin.acts import Scene
from torhaus.audit.acts import HOUSE
from torhaus.model.credentials import Family, FamilyKind
from torhaus.model.desk import Desk

MOST = {FamilyKind.SESSION: 50, FamilyKind.CONSENT: 200}
"""Browser sessions, and programs that were let in, of one person."""
MOST_TOKENS = 100
"""Access tokens of one consent that are good at one time."""
MOST_ASSERTED = 1000
"""Access tokens of one person that an identity provider has let clients have (ID-JAG)."""
ASSERTED = "jag_"
"""What ids of their families begin with."""
CROWDED = "more than one person can have: what rested longest ends"


class Room(msgspec.Struct, frozen=True):
    """What ended to make room: ids, and digests of what hung on them."""

    ids: tuple[str, ...] = ()
    ended: tuple[bytes, ...] = ()

    def facts(self) -> dict[str, object]:
        """For the record of what came instead."""
        return {"made_room": list(self.ids)[:50]} if self.ids else {}


async def room(desk: Desk, scene: Scene, email: str, id: str, kind: FamilyKind) -> Room:
    """For one more of this kind, called `id`."""
    await desk.revisions.turn()  # of two at once, one counts the other
    asserted = id.startswith(ASSERTED)
    most = MOST_ASSERTED if asserted else MOST[kind]
    known = (each for each in await desk.families.of(email) if each.kind is kind)
    alike = (each for each in known if each.id.startswith(ASSERTED) is asserted)
    living = [each for each in alike if each.ended is None and each.expires > scene.now]
    return await _ended(desk, scene, sorted(living, key=_rest)[: max(0, len(living) + 1 - most)])


async def room_for_token(desk: Desk, scene: Scene, family: str) -> tuple[bytes, ...]:
    """For one more access token of a consent; digests of those that ended for it."""
    living = await desk.credentials.living(family, scene.now)
    old = [each.digest for each in living[: max(0, len(living) + 1 - MOST_TOKENS)]]
    for each in old:
        await desk.credentials.end(each, HOUSE.email, scene.now)
    return tuple(old)


async def _ended(desk: Desk, scene: Scene, families: Iterable[Family]) -> Room:
    ids: list[str] = []
    ended: list[bytes] = []
    for each in families:
        ids.append(each.id)
        ended += await desk.families.end(each.id, HOUSE.email, CROWDED, scene.now)
    return Room(tuple(ids), tuple(ended))


def _rest(family: Family) -> tuple[float, float, str]:
    return family.used, family.created, family.id
