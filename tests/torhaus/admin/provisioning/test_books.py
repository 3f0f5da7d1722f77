from pathlib import Path

from tests.torhaus.admin.hall import Hall, play
from tests.torhaus.admin.provisioning.pushed import push, pushing, user
from tests.torhaus.cast import run
from torhaus.admin.provisioning.books import ScimBooks
from torhaus.model.provisioning import USER, Sought


def test_what_was_pushed_is_read(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        await push(hall, user())
        books = ScimBooks(hall.office)
        sought = Sought(source="okta", kind=USER)

        assert await books.get("okta", USER, "u1") == user()
        assert await books.page(sought, 0, 9) == (1, [user()])
        assert await books.page(sought, 0, 0) == (1, [])
        assert await books.unknown("okta", ["u1", "u2"]) == {"u2"}

    run(play(tmp_path, story))
