import asyncio
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import Hall, play
from tests.torhaus.admin.provisioning.pushed import OKTA, here, pushing
from tests.torhaus.cast import run
from torhaus.admin.provisioning.books import ScimBooks
from torhaus.api.scim.resources import Resources, Sender
from torhaus.identity.scim.attributes import Kind
from torhaus.identity.scim.problem import ScimError

SENDER = Sender(OKTA, "192.0.2.1")


def resources(hall: Hall) -> Resources:
    pushing(hall)
    return Resources(hall.admin, ScimBooks(hall.office), hall.clock)


def test_changes_of_many_at_once_all_count(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = resources(hall)
        team = await made.make(SENDER, Kind.GROUP, {"displayName": "Devs"})
        ids = [
            (await made.make(SENDER, Kind.USER, {"userName": f"u{n}@x.local"})).id for n in range(4)
        ]

        def joining(id: str) -> object:
            return {"op": "add", "path": "members", "value": [{"value": id}]}

        await asyncio.gather(
            *(made.patch(SENDER, Kind.GROUP, team.id, {"Operations": [joining(i)]}) for i in ids)
        )

        found = await made.get(SENDER, Kind.GROUP, team.id)
        assert all(id in found.document for id in ids)
        for n in range(4):
            person = await here(hall, f"u{n}@x.local")
            assert person is not None
            assert person.roles == ("developer",)

    run(play(tmp_path, story))


def test_members_that_nobody_is_are_left_out(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = resources(hall)

        team = await made.make(
            SENDER, Kind.GROUP, {"displayName": "Devs", "members": [{"value": "nobody"}]}
        )

        assert "nobody" not in team.document

    run(play(tmp_path, story))


def test_names_are_taken_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = resources(hall)
        await made.make(SENDER, Kind.USER, {"userName": "e@x"})

        with pytest.raises(ScimError) as error:
            await made.make(SENDER, Kind.USER, {"userName": "E@X"})

        assert (error.value.status, error.value.kind) == (409, "uniqueness")

    run(play(tmp_path, story))
