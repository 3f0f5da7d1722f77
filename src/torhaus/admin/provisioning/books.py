"""Read-only questions about what sources of provisioning have told."""

from collections.abc import Iterable

from torhaus.model.desk import Office
from torhaus.model.provisioning import USER, Provisioned, Sought


class ScimBooks:
    """All raise StateError."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def get(self, source: str, kind: str, id: str) -> Provisioned | None:
        async with self._office.read() as desk:
            return await desk.provisioned.get(source, kind, id)

    async def page(self, sought: Sought, start: int, most: int) -> tuple[int, list[Provisioned]]:
        """How many there are, and some of them."""
        async with self._office.read() as desk:
            count = await desk.provisioned.count(sought)
            found = await desk.provisioned.some(sought, start, most) if most else []
        return count, found

    async def unknown(self, source: str, ids: Iterable[str]) -> frozenset[str]:
        """Those of these ids that no user of the source has."""
        async with self._office.read() as desk:
            found = {id: await desk.provisioned.get(source, USER, id) for id in ids}
        return frozenset(id for id, user in found.items() if user is None)
