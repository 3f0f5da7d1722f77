"""Questions about the audit log: who may ask, what comes back, and the record each leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, DANA, JANE, Hall, hall, permission
from tests.torhaus.store.query.log import NOW, AuditLog, call, denied
from torhaus.admin.acts import Refusal
from torhaus.admin.auditing import LEAST, Page, Reading, Wanted
from torhaus.audit.pages import Filters, cursor
from torhaus.audit.part import Part
from torhaus.audit.saved import SHIPPED
from torhaus.model.access import Access
from torhaus.model.asking import Question, Table, Unanswered
from torhaus.model.people import Phase, Principal
from torhaus.model.ports import LedgerError
from torhaus.model.record import Record
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords

ERIN = Principal(
    id="erin@example.org",
    email="erin@example.org",
    phases=(
        Phase(
            roles=("auditor",),
            access={"torhaus": Access(allows=(permission("torhaus:audit:read"),))},
        ),
    ),
)
OWN = {"mine": "SELECT count(*) AS n FROM audit_logs"}
Story = Callable[[Hall, "Desk"], Awaitable[None]]


class Desk(Reading):
    """With a real sandbox, and what was asked of it."""

    def __init__(self, made: Hall, log: AuditLog) -> None:
        self.counting = Counting(log)
        super().__init__(made.means, self.counting, lambda: OWN)

    async def ids(self, filters: Filters, most: int = 50, after: str | None = None) -> list[str]:
        """The request ids of a page, then where the next one begins."""
        at = None if after is None else cursor(after, filters)
        found = await self.page(ERIN, filters, at, most)
        assert isinstance(found, Page), found
        return [*(each["request_id"] for each in found.records), found.next or "."]


def play(home: Path, story: Story, *records: Record) -> None:
    async def played() -> None:
        log = AuditLog(home)
        if records:
            log.live(*records)
        async with hall(home) as made:
            made.clock.now = NOW.timestamp()
            await story(made, Desk(made, log))

    asyncio.run(asyncio.wait_for(played(), 60))


class Counting:
    def __init__(self, log: AuditLog) -> None:
        self.asked: list[Question] = []
        self.log = log
        self._records = SandboxRecords(AuditFiles(log.audit).find)

    async def ask(self, question: Question) -> Table | Unanswered:
        self.asked.append(question)
        return await self._records.ask(question)


def test_a_question_is_answered_and_recorded(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        sql = "SELECT count(*) AS n FROM audit_logs"
        found = await at.query(ERIN, Wanted(sql=sql), "192.0.2.7")

        assert isinstance(found, Table)
        assert found.rows == ((2,),)
        assert made.ends() == [("audit.queried", ERIN.email, "success")]
        noted = made.ledger.durable[0]
        assert (noted.mcp_server, noted.user.ip) == ("torhaus", "192.0.2.7")
        assert noted.access_control.policy_applied == "torhaus:audit:read"
        facts = made.parameters()
        assert (facts["sql"], facts["rows"]) == (sql, 1)
        assert facts["milliseconds"] > 0

    play(tmp_path, story, call("r1", 0.1), denied("r2", 0.1))


def test_nothing_of_a_question_is_hidden_behind_a_long_comment(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        sql = f"/*{'é' * 6000}*/ SELECT count(*) AS n FROM audit_logs"
        for each in (sql, f"{sql} -- {'x' * 400}"):
            await at.query(ERIN, Wanted(sql=each))

        answered, refused = (
            msgspec.json.decode(each.parameters)["sql"] for each in made.ledger.durable
        )
        assert answered == sql
        assert len(refused) == LEAST
        assert [each for *_, each in made.ends()] == ["success", "denied"]

    play(tmp_path, story, call("r1", 0.1))


@pytest.mark.parametrize("who", [ALICE, JANE], ids=["a developer", "a server's administrator"])
def test_who_may_not_is_refused_recorded_and_nothing_is_asked(
    tmp_path: Path, who: Principal
) -> None:
    async def story(made: Hall, at: Desk) -> None:
        asked = await at.query(who, Wanted(sql="SELECT 1"))
        paged = await at.page(who, Filters(), None, 50)

        for found in (asked, paged):
            assert isinstance(found, Refusal)
            assert found.code == "not_allowed"
        assert made.ends() == [("audit.queried", who.email, "denied")] * 2
        assert at.counting.asked == []
        assert isinstance(at.saved(who), str)

    play(tmp_path, story)


def test_whose_access_has_ended_reads_nothing(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        ended = msgspec.structs.replace(ERIN, expires=made.clock())

        found = await at.query(ended, Wanted(sql="SELECT 1"))

        assert isinstance(found, Refusal)
        assert found.reason == "your access has ended"

    play(tmp_path, story)


def test_without_its_record_there_is_no_answer(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        made.ledger.refuses = True

        with pytest.raises(LedgerError):
            await at.query(ERIN, Wanted(sql="SELECT 1"))
        with pytest.raises(LedgerError):
            await at.page(ERIN, Filters(), None, 50)

    play(tmp_path, story)


def test_an_escape_is_in_the_log_with_its_text(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        sql = "SELECT * FROM read_text('/etc/passwd')" + " " * 9000 + "--"
        found = await at.query(ERIN, Wanted(sql=sql))

        assert isinstance(found, Unanswered)
        assert made.ends() == [("audit.queried", ERIN.email, "denied")]
        assert made.parameters()["sql"] == sql
        assert "read_text()" in made.ledger.durable[0].access_control.reason

    play(tmp_path, story)


def test_a_mistake_is_in_the_log_too(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        assert isinstance(await at.query(ERIN, Wanted(sql="SELECT x")), Unanswered)

        assert made.ends() == [("audit.queried", ERIN.email, "error")]

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Wanted(), "invalid"),
        (Wanted(sql="SELECT 1", saved="mine"), "invalid"),
        (Wanted(saved="yours"), "not_found"),
        (Wanted(sql="SELECT " + "1" * 20_000), "invalid"),
        (Wanted(sql="SELECT '\ud800'"), "invalid"),
    ],
)
def test_what_is_no_question_is_refused(tmp_path: Path, wanted: Wanted, code: str) -> None:
    async def story(made: Hall, at: Desk) -> None:
        found = await at.query(ERIN, wanted)

        assert isinstance(found, Refusal)
        assert found.code == code
        assert at.counting.asked == []

    play(tmp_path, story)


def test_saved_questions_are_the_shipped_and_the_configured_ones(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        found = await at.query(DANA, Wanted(saved="mine"))

        assert isinstance(found, Table)
        assert found.rows == ((1,),)
        assert made.parameters()["saved"] == "mine"
        saved = at.saved(ERIN)
        assert isinstance(saved, dict)
        assert set(saved) == {*SHIPPED, "mine"}

    play(tmp_path, story, call("r1", 0.1))


def test_pages_go_on_where_the_one_before_ended_whatever_comes_meanwhile(tmp_path: Path) -> None:
    """The third and fourth record have one time."""
    log_records = [call(f"r{number}", days) for number, days in enumerate((0.4, 0.3, 0.2, 0.2))]

    async def story(made: Hall, at: Desk) -> None:
        *first, following = await at.ids(Filters(), 2)
        assert first == ["r3", "r2"]
        at.counting.log.live(call("new", 0.0))
        *second, following = await at.ids(Filters(), 2, following)
        assert second == ["r1", "r0"]
        while following != ".":
            *rest, following = await at.ids(Filters(), 2, following)
            assert rest == []

    play(tmp_path, story, *log_records)


def test_a_page_has_the_columns_of_the_view(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        found = await at.page(ERIN, Filters(), None, 1)

        assert isinstance(found, Page)
        record = found.records[0]
        assert (record["user"], record["repo"]) == ("alice@example.org", "myorg/web")
        assert record["parameters"] == {"repo": "myorg/web"}
        assert made.parameters() == {
            "filters": {}, "limit": 1, "rows": 1,
            "milliseconds": made.parameters()["milliseconds"],
        }  # fmt: skip

    play(tmp_path, story, call("r1", 0.1))


FILTERED = {
    "user": (Filters(part=Part(user="BOB@example.org")), ["r2"]),
    "server": (Filters(part=Part(server="sentry")), ["r3"]),
    "operation": (Filters(part=Part(operation="get_issue")), ["r4"]),
    "status": (Filters(part=Part(status="denied")), ["r5"]),
    "allowed": (Filters(allowed=False), ["r5"]),
    "repo": (Filters(repo="myorg/secret"), ["r6"]),
    "text": (Filters(text="7"), ["r7"]),
    "two at once": (Filters(allowed=True, text="5"), []),
}


def test_each_filter_finds_its_record(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        for name, (filters, expected) in FILTERED.items():
            since = f"{NOW:%Y-%m-%d}T00:00:00.000Z" if NOW.hour else ""
            narrowed = msgspec.structs.replace(
                filters, part=msgspec.structs.replace(filters.part, since=since)
            )
            *found, _ = await at.ids(narrowed)
            assert found == expected, name

    play(
        tmp_path,
        story,
        call("r2", 0, email="bob@example.org"),
        call("r3", 0, mcp_server="sentry"),
        call("r4", 0, operation="get_issue"),
        denied("r5", 0),
        call("r6", 0, repo="myorg/secret"),
        call("r7", 0),
    )


def test_old_records_are_found_after_newer_days_were_looked_at(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        *found, _ = await at.ids(Filters(), 3)

        assert found == ["r1", "r2", "r3"]
        floors = [each.first_day for each in at.counting.asked]
        assert len(floors) == 3
        assert floors[-1] == ""
        assert floors[0] > floors[1]

    play(tmp_path, story, call("r1", 0.1), call("r2", 20), call("r3", 100))


def test_a_full_page_of_new_days_is_the_whole_work(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        *found, following = await at.ids(Filters(), 1)

        assert found == ["r1"]
        assert following != "."
        assert len(at.counting.asked) == 1

    play(tmp_path, story, call("r1", 0.0), call("r2", 400))


def test_only_the_days_that_are_asked_for_are_looked_at(tmp_path: Path) -> None:
    async def story(made: Hall, at: Desk) -> None:
        day = Part(since="2026-01-05T00:00:00.000Z", until="2026-01-06T00:00:00.000Z")
        await at.ids(Filters(part=day))

        (asked,) = at.counting.asked
        assert (asked.first_day, asked.last_day) == ("2026-01-05", "2026-01-06")

    play(tmp_path, story)
