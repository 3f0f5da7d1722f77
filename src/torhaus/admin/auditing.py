"""Questions about everybody's audit records: who may, what is asked, and the record of each."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from torhaus.admin.acts import Refusal
from torhaus.admin.means import Means
from torhaus.audit.acts import Act, act_record, came, failed_record, refused_record
from torhaus.audit.pages import Cursor, Filters, last_of, page
from torhaus.audit.saved import OWN, SHIPPED, Saved, named
from torhaus.audit.shape import plain
from torhaus.model.asking import Question, Records, Skipped, Table, Unanswered
from torhaus.model.people import Principal
from torhaus.policy.auditors import RIGHT, may_audit

OPERATION = "audit.queried"
MAX_SQL = 12 * 1024
"""Octets of a question, as JSON text: its record holds all of it, so that none is hidden behind
a comment as long as a record."""
LEAST = 1000
"""Characters that the record of a question holds which was refused as too long."""
STEPS = (1, 31)
"""Days that a page looks back in first, before it looks everywhere."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Either `sql` or the name of a `saved` question."""

    sql: str | None = None
    saved: str | None = None
    rows: int = 1000
    seconds: float = 30.0


class Page(msgspec.Struct, frozen=True):
    """`next`: where the page after it begins; None when this was the last."""

    records: tuple[dict[str, Any], ...]
    next: str | None
    skipped: tuple[Skipped, ...]


class Reading:
    """The one way to the audit log's records. `own`: saved questions of the configuration.

    Every question leaves a record before its answer leaves. Raises LedgerError where it cannot:
    then there is no answer.
    """

    def __init__(
        self, means: Means, records: Records, own: Callable[[], Mapping[str, str]]
    ) -> None:
        self._means = means
        self._records = records
        self._own = own

    def saved(self, actor: Principal) -> dict[str, Saved] | str:
        """All questions with names; or why the actor may not see them."""
        why = may_audit(actor, self._means.clock())
        if why is not None:
            return why
        own = {name: Saved(OWN, sql) for name, sql in self._own().items()}
        return {**SHIPPED, **own}

    async def query(
        self, actor: Principal, wanted: Wanted, ip: str = ""
    ) -> Table | Unanswered | Refusal:
        facts: dict[str, Any] = {} if wanted.saved is None else {"saved": wanted.saved[:128]}
        sql = wanted.sql if wanted.saved is None else named(wanted.saved, self._own())
        if sql is not None:
            facts["sql"] = sql if too_long(sql) is None else plain(sql, LEAST)
        why = self._wrong(actor, wanted, sql)
        if sql is None or why is not None:
            return await self._refused(actor, ip, facts, *(why or ("not_found", "")))
        question = Question(sql=sql, rows=wanted.rows, seconds=wanted.seconds)
        began = time.monotonic()
        found = await self._records.ask(question)
        await self._told(actor, ip, facts, found, time.monotonic() - began)
        return found

    def _wrong(self, actor: Principal, wanted: Wanted, sql: str | None) -> tuple[str, str] | None:
        """(code, sentence) of what is wrong with a question, if anything is."""
        why = may_audit(actor, self._means.clock())
        if why is not None:
            return "not_allowed", why
        if (wanted.sql is None) == (wanted.saved is None):
            return "invalid", "give either sql or saved"
        if sql is None:
            return "not_found", f"there is no saved question {str(wanted.saved)[:128]!r}"
        long = too_long(sql)
        return None if long is None else ("invalid", long)

    async def page(
        self, actor: Principal, filters: Filters, after: Cursor | None, most: int, ip: str = ""
    ) -> Page | Unanswered | Refusal:
        """`most` records after a cursor, the newest first."""
        facts = {"filters": _asked(filters), "limit": most}
        why = may_audit(actor, self._means.clock())
        if why is not None:
            return await self._refused(actor, ip, facts, "not_allowed", why)
        began = time.monotonic()
        found = await self._looked(filters, after, most)
        await self._told(actor, ip, facts, found, time.monotonic() - began)
        if isinstance(found, Unanswered):
            return found
        records = tuple(dict(zip(found.columns, row, strict=True)) for row in found.rows)
        following = last_of(records[-1], filters).text if found.more and records else None
        return Page(records, following, found.skipped)

    async def _looked(
        self, filters: Filters, after: Cursor | None, most: int
    ) -> Table | Unanswered:
        """In the newest days first: a page is seldom older, and then years are not looked at."""
        last = _last_day(filters, after)
        for floor in _floors(filters.part.since, last, self._means.clock()):
            sql, bound = page(filters, after, floor)
            question = Question(
                sql=sql, parameters=bound, first_day=floor[:10], last_day=last, rows=most
            )
            found = await self._records.ask(question)
            if isinstance(found, Unanswered) or floor == filters.part.since:
                return found
            if len(found.rows) == most:
                return _more(found)
        raise AssertionError("the last floor is the one that is asked for")

    async def _told(
        self,
        actor: Principal,
        ip: str,
        facts: dict[str, Any],
        found: Table | Unanswered,
        seconds: float,
    ) -> None:
        means = self._means
        now = means.clock()
        who = came(actor, now, ip)
        facts = {**facts, "milliseconds": round(seconds * 1000)}
        if isinstance(found, Table):
            shaped, why = act_record, f"{actor.email} may do this"
            facts["rows"] = len(found.rows)
        else:
            shaped = refused_record if found.code == "refused" else failed_record
            why = found.why
        act = Act(operation=OPERATION, facts=facts)
        await means.note(shaped(act, who, id=means.ids(), at=now, rule=RIGHT, reason=why))

    async def _refused(
        self, actor: Principal, ip: str, facts: dict[str, Any], code: str, why: str
    ) -> Refusal:
        means = self._means
        now = means.clock()
        act = Act(operation=OPERATION, facts=facts)
        who = came(actor, now, ip)
        await means.note(refused_record(act, who, id=means.ids(), at=now, rule=code, reason=why))
        return Refusal(code, why, act)


def too_long(sql: str) -> str | None:
    """Why a question is too long to be asked, as a sentence; None when it is not."""
    try:
        octets = len(msgspec.json.encode(sql))
    except UnicodeEncodeError:
        return "the SQL is no text in UTF-8"
    return None if octets <= MAX_SQL else f"the SQL has more than {MAX_SQL} octets: {octets}"


def _asked(filters: Filters) -> dict[str, Any]:
    every = msgspec.structs.asdict(filters)
    del every["part"]
    more = {name: value for name, value in every.items() if value not in (None, "")}
    return {**filters.part.asked(), **more}


def _last_day(filters: Filters, after: Cursor | None) -> str:
    days = [day for day in (filters.part.until[:10], "" if after is None else after.at[:10]) if day]
    return min(days, default="")


def _floors(since: str, last_day: str, now: float) -> list[str]:
    """Times to look back to, one after the other; the last is the one that is asked for."""
    end = datetime.fromisoformat(last_day) if last_day else datetime.fromtimestamp(now, UTC)
    floors = [f"{end - timedelta(days=back):%Y-%m-%d}T00:00:00.000Z" for back in STEPS]
    return [*(floor for floor in floors if floor > since), since]


def _more(found: Table) -> Table:
    """Of the newest days only: what is older was not looked at, so there may be more."""
    return msgspec.structs.replace(found, more=True)
