"""What was listed a moment ago."""

import msgspec
import pytest

from tests.torhaus.cast import ALICE, DANA, run
from tests.torhaus.gate.aggregate.crowd import Crowd
from torhaus.gate.aggregate.rewriting import Item
from torhaus.gate.aggregate.shelf import Share
from torhaus.model.views import View

TOOLS = "tools/list"


def put(crowd: Crowd, turn: int = 0) -> Share:
    guest, server = crowd.guest(), crowd.servers["docs"]
    share = Share(
        items=(),
        caller=DANA,
        phase=DANA.phase(crowd.clock()),
        server=server,
        view=guest.view,
        stored=crowd.clock(),
        until=crowd.clock() + 10,
        told=crowd.clock(),
        digest=b"",
    )
    crowd.many.shelf.keep(guest, server, TOOLS, share, turn)
    return share


def test_it_is_found_by_the_one_it_was_made_for():
    async def story() -> None:
        crowd = Crowd()
        share, find, docs = put(crowd), crowd.many.shelf.find, crowd.servers["docs"]

        assert find(crowd.guest(), docs, TOOLS) is share
        assert find(crowd.guest(ALICE), docs, TOOLS) is None
        assert find(crowd.guest(msgspec.structs.replace(DANA)), docs, TOOLS) is None
        assert find(crowd.guest(client="c"), docs, TOOLS) is None
        assert find(crowd.guest(view=View()), docs, TOOLS) is None
        assert find(crowd.guest(), msgspec.structs.replace(docs), TOOLS) is None
        assert find(crowd.guest(), docs, "prompts/list") is None
        crowd.clock.turn(10)
        assert find(crowd.guest(), docs, TOOLS) is None

    run(story())


@pytest.mark.parametrize(
    ("server", "notice", "kept"),
    [
        ("docs", "notifications/tools/list_changed", False),
        ("docs", "notifications/prompts/list_changed", True),
        ("tea", "notifications/tools/list_changed", True),
        ("docs", "notifications/other", True),
    ],
)
def test_a_change_takes_it_away(server: str, notice: str, kept: bool):
    async def story() -> None:
        crowd = Crowd()
        put(crowd)

        crowd.many.shelf.changed(server, notice)

        found = crowd.many.shelf.find(crowd.guest(), crowd.servers["docs"], TOOLS)
        assert (found is not None) is kept

    run(story())


def test_what_changed_while_it_was_fetched_is_not_kept():
    async def story() -> None:
        crowd = Crowd()
        shelf, docs = crowd.many.shelf, crowd.servers["docs"]
        turn = shelf.turn("docs", TOOLS)
        shelf.changed("docs", "notifications/tools/list_changed")

        put(crowd, turn)

        assert shelf.find(crowd.guest(), docs, TOOLS) is None

    run(story())


def test_trouble_is_one_callers_and_passes():
    async def story() -> None:
        crowd = Crowd()
        shelf, docs = crowd.many.shelf, crowd.servers["docs"]

        shelf.down(crowd.guest(), docs, "why")

        assert shelf.trouble(crowd.guest(), docs) == "why"
        assert shelf.trouble(crowd.guest(ALICE), docs) is None
        put(crowd)
        assert shelf.trouble(crowd.guest(), docs) is None
        shelf.down(crowd.guest(), docs, "why")
        crowd.clock.turn(10)
        assert shelf.trouble(crowd.guest(), docs) is None
        shelf.clear()
        assert shelf.find(crowd.guest(), docs, TOOLS) is None

    run(story())


def test_equal_lists_of_many_sessions_are_kept_once():
    shelf = Crowd().many.shelf
    items = (Item("a", b"a"),)

    assert shelf.same(b"1", items) is items
    assert shelf.same(b"1", (Item("a", b"a"),)) is items
    for number in range(600):
        shelf.same(b"x%d" % number, ())
    other = (Item("a", b"a"),)
    assert shelf.same(b"1", other) is other


def test_what_somebody_listed_last_outlives_its_time_and_session_but_not_its_rights():
    async def story() -> None:
        crowd = Crowd()
        share, last, docs = put(crowd), crowd.many.shelf.last, crowd.servers["docs"]
        crowd.clock.turn(60)

        assert last(crowd.guest(client="another"), docs, TOOLS) is share
        assert last(crowd.guest(ALICE), docs, TOOLS) is None
        assert last(crowd.guest(msgspec.structs.replace(DANA)), docs, TOOLS) is None
        assert last(crowd.guest(view=View()), docs, TOOLS) is None
        crowd.many.shelf.changed("docs", "notifications/tools/list_changed")
        assert last(crowd.guest(), docs, TOOLS) is None

    run(story())


def test_a_server_is_slow_until_it_lists_or_fails():
    async def story() -> None:
        crowd = Crowd()
        shelf, guest, docs = crowd.many.shelf, crowd.guest(), crowd.servers["docs"]
        for ended in (lambda: put(crowd), lambda: shelf.down(guest, docs, "it is gone")):
            shelf.late(guest, docs, "it is late")
            assert shelf.slow(guest, docs)
            assert shelf.trouble(guest, docs) == "it is late"

            ended()

            assert not shelf.slow(guest, docs)

    run(story())
