from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import BOB, CAROL, DANA, Hall, play, rules
from tests.torhaus.cast import NOW, run
from torhaus.admin.pinning import MOST_NEWS, Pinning
from torhaus.model.announcement import Kind
from torhaus.model.pins import Drift, News, Pin, What
from torhaus.model.ports import LedgerError, StateError
from torhaus.policy.pins import accepted, begun, definition, looked

OLD, NEW = (definition({"name": "get", "description": text}) for text in ("old", "new"))
FIRST = begun("github", "get", OLD, 1.0)
CHANGED = looked(FIRST, "github", "get", NEW, Drift.WARN, 2.0)
NEWS = News(what=What.CHANGED, server="github", pins=(CHANGED,), at=NOW, refused=True)


class Memory:
    """Pins as the gate has them."""

    def __init__(self, *pins: Pin) -> None:
        self.unsaved = {(pin.server, pin.name): pin for pin in pins}
        self.heard: list[Pin] = []

    def saved(self, kept: list[Pin]) -> None:
        for pin in kept:
            del self.unsaved[pin.server, pin.name]


def play_with(
    path: Path, story: Callable[[Hall, Memory, Pinning], Awaitable[None]], *pins: Pin
) -> None:
    async def ready(hall: Hall) -> None:
        hall.rules = rules()
        memory = Memory(*pins)
        await story(hall, memory, Pinning(hall.means, memory, memory.heard.append))

    run(play(path, ready))


def database(home: Path) -> Path:
    (found,) = home.rglob("state.db")
    return found


async def kept(hall: Hall) -> list[Pin]:
    async with hall.office.read() as desk:
        return list(await desk.tools.all())


def test_what_the_gate_has_seen_is_written_once(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        await pinning.walk(look=False)

        assert await kept(hall) == [CHANGED]
        assert memory.unsaved == {}
        await pinning.walk(look=False)

    play_with(tmp_path, story, CHANGED)


def test_a_start_takes_over_what_is_in_the_database(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        await pinning.save()

        await pinning.load()

        assert memory.heard == [CHANGED]

    play_with(tmp_path, story, CHANGED)


def test_a_decision_of_another_process_is_heard_of(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        await pinning.save()
        await pinning.load()
        memory.heard.clear()
        done = accepted(CHANGED, NEW, "dana", NOW + 5)
        async with hall.office.write() as desk:
            await desk.tools.accept(done, NOW + 5)

        await pinning.walk(look=True)

        assert memory.heard == [done]
        memory.heard.clear()
        hall.clock.turn(120)
        await pinning.walk(look=True)
        await pinning.walk(look=True)
        assert len(memory.heard) <= 1

    play_with(tmp_path, story, CHANGED)


def test_a_decision_that_is_heard_of_is_looked_at_at_once(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        await pinning.save()
        await pinning.load()
        memory.heard.clear()
        done = accepted(CHANGED, NEW, "dana", NOW + 5)
        async with hall.office.write() as desk:
            await desk.tools.accept(done, NOW + 5)

        await pinning.walk(look=False)
        assert memory.heard == []
        pinning.ask()
        await pinning.walk(look=False)

        assert memory.heard == [done]

    play_with(tmp_path, story, CHANGED)


def test_a_drift_is_logged_at_once_recorded_and_told_to_administrators(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        with capture_logs() as logs:
            pinning.tell(NEWS)
        assert [(each["event"], each["tool"], each["refused"]) for each in logs] == [
            ("catalogue.tool.changed", "get", True)
        ]
        assert hall.told == []

        await pinning.walk(look=False)

        assert hall.ends() == [("catalogue.tool.changed", "torhaus", "success")]
        assert hall.parameters() == {
            "tool": "get",
            "accepted": OLD.digest,
            "offered": NEW.digest,
        }
        (told,) = hall.told
        assert told.kind is Kind.TOOL_CHANGED
        assert "torhaus tools diff github get" in told.text
        assert set(told.to) == {BOB.email, CAROL.email, DANA.email}
        assert told.facts["refused"] == "yes"
        await pinning.walk(look=False)
        assert len(hall.told) == 1

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("what", "word", "told"),
    [
        (What.PINNED, "trusted", 0),
        (What.NEW, "new tool", 1),
        (What.FOLLOWED, "settings accept", 0),
    ],
)
def test_each_kind_of_news_has_its_sentence(
    what: What, word: str, told: int, tmp_path: Path
) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        pinning.tell(News(what=what, server="github", pins=(CHANGED,), at=NOW))

        await pinning.walk(look=False)

        assert word in hall.ledger.durable[-1].access_control.reason
        assert len(hall.told) == told

    play_with(tmp_path, story)


def test_news_waits_for_a_ledger_that_is_broken(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        pinning.tell(NEWS)
        hall.ledger.refuses = True
        with pytest.raises(LedgerError):
            await pinning.walk(look=False)
        hall.ledger.refuses = False

        await pinning.walk(look=False)

        assert len(hall.told) == 1
        assert len(hall.ledger.durable) == 1

    play_with(tmp_path, story)


def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        found = database(tmp_path)
        hidden = found.with_suffix(".away")
        found.rename(hidden)
        with pytest.raises(StateError):
            await pinning.walk(look=False)
        with capture_logs() as logs:
            await pinning.close()
        assert [each["event"] for each in logs] == ["catalogue.unsaved"]
        assert memory.unsaved != {}
        hidden.rename(found)

        await pinning.close()

        assert await kept(hall) == [CHANGED]

    play_with(tmp_path, story, CHANGED)


def test_a_server_cannot_fill_the_memory_with_news(tmp_path: Path) -> None:
    async def story(hall: Hall, memory: Memory, pinning: Pinning) -> None:
        with capture_logs():
            for _ in range(MOST_NEWS + 9):
                pinning.tell(NEWS)

        await pinning.walk(look=False)

        assert len(hall.told) == MOST_NEWS

    play_with(tmp_path, story)
