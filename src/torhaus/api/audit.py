"""`/api/v1/audit`: everybody's audit records, for auditors."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from torhaus.admin.acts import Refusal
from torhaus.admin.auditing import MAX_SQL, Page, Reading, Wanted
from torhaus.api.door import Who
from torhaus.api.problems import ProblemError, refused
from torhaus.api.shapes import Given, Taken
from torhaus.audit import part
from torhaus.audit.pages import Cursor, Filters, cursor
from torhaus.audit.part import Part
from torhaus.model.asking import Skipped, Table, Unanswered

MOST = 10_000
PAGE = 200
_STATUS = {"busy": 503, "unavailable": 503}
_KNOWN = frozenset(
    ("user", "server", "operation", "status", "allowed", "repo", "since", "until", "text")
) | {"after", "limit", "credential"}

Word = Annotated[str | None, Query(max_length=256)]
Time = Annotated[
    str | None, Query(max_length=40, description="2025-10-20, or 2025-10-20T14:00:00Z.")
]


class Ask(Taken):
    """A question: either `sql` or the name of a `saved` one."""

    sql: Annotated[
        str | None,
        Field(max_length=MAX_SQL, description="One SELECT over audit_logs or audit_records."),
    ] = None
    saved: Annotated[str | None, Field(max_length=64, description="See /audit/queries.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST, description="Rows of the answer.")] = 1000
    timeout: Annotated[
        float, Field(ge=0.1, le=60, allow_inf_nan=False, description="Seconds it may take.")
    ] = 30.0


class SkippedOut(Given):
    """Days with records that were left out."""

    days: int
    first: str
    last: str
    why: str
    text: Annotated[str, Field(description="The same as a sentence, with what to do.")]

    @classmethod
    def of(cls, skipped: Skipped) -> "SkippedOut":
        return cls(
            days=len(skipped.days),
            first=min(skipped.days, default=""),
            last=max(skipped.days, default=""),
            why=skipped.why,
            text=skipped.text,
        )


class AnswerOut(Given):
    """Rows, each an object."""

    columns: Annotated[list[str], Field(description="In their order.")]
    rows: list[dict[str, Any]]
    more: Annotated[bool, Field(description="Whether rows were left out.")]
    seconds: float
    skipped: list[SkippedOut]


class PageOut(Given):
    """Records, the newest first, with the columns of the view audit_logs."""

    records: list[dict[str, Any]]
    next: Annotated[str | None, Field(description="For `after`; null on the last page.")]
    skipped: list[SkippedOut]


class SavedOut(Given):
    """A question with a name."""

    name: str
    about: str
    sql: str


class Wish(msgspec.Struct, frozen=True):
    filters: Filters
    after: Cursor | None
    limit: int


def wish(  # noqa: PLR0913 -- one argument for each filter
    request: Request,
    *,
    user: Word = None,
    server: Word = None,
    operation: Word = None,
    status: Annotated[
        str | None, Query(max_length=32, description="success, error, denied, limited, ...")
    ] = None,
    credential: Annotated[
        str | None,
        Query(max_length=128, description="As records have it: key:ID, token:ID, session:ID."),
    ] = None,
    allowed: Annotated[bool | None, Query(description="By policy.")] = None,
    repo: Word = None,
    since: Time = None,
    until: Time = None,
    text: Annotated[
        str | None, Query(max_length=128, description="Somewhere in the request's id.")
    ] = None,
    after: Annotated[
        str | None, Query(max_length=4096, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE)] = 50,
) -> Wish:
    """What a page is asked for. A filter that is misspelled is never one that is left out."""
    strange = sorted(set(request.query_params) - _KNOWN)
    if strange:
        why = f"there is no filter {strange[0][:64]!r}"
        raise ProblemError(422, "invalid", why, f"use {', '.join(sorted(_KNOWN))}")
    wanted = Part(
        since=_time("since", since),
        until=_time("until", until),
        user=user,
        server=server,
        operation=operation,
        status=status,
        credential=credential,
    )
    filters = Filters(part=wanted, allowed=allowed, repo=repo, text=text)
    return Wish(filters, None if after is None else _cursor(after, filters), limit)


def router(reading: Reading) -> APIRouter:
    routes = APIRouter(prefix="/audit", tags=["audit"])

    @routes.get("")
    async def records(who: Who, asked: Annotated[Wish, Depends(wish)]) -> PageOut:
        """Pages of records. Needs the permission torhaus:audit:read, and is itself recorded."""
        found = await reading.page(who.principal, asked.filters, asked.after, asked.limit, who.ip)
        page: Page = _answered(found)
        skipped = [SkippedOut.of(each) for each in page.skipped]
        return PageOut(records=list(page.records), next=page.next, skipped=skipped)

    @routes.post("")
    async def ask(who: Who, body: Ask) -> AnswerOut:
        """SQL over all records. Needs the permission torhaus:audit:read, and is itself recorded."""
        wanted = Wanted(sql=body.sql, saved=body.saved, rows=body.limit, seconds=body.timeout)
        table: Table = _answered(await reading.query(who.principal, wanted, who.ip))
        return AnswerOut(
            columns=list(table.columns),
            rows=[dict(zip(table.columns, row, strict=True)) for row in table.rows],
            more=table.more,
            seconds=table.seconds,
            skipped=[SkippedOut.of(each) for each in table.skipped],
        )

    @routes.get("/queries")
    async def queries(who: Who) -> list[SavedOut]:
        """The questions that have names. Needs the permission torhaus:audit:read."""
        found = reading.saved(who.principal)
        if isinstance(found, str):
            raise ProblemError(403, "not_allowed", found)
        return [SavedOut(name=name, about=each.about, sql=each.sql) for name, each in found.items()]

    return routes


def _time(name: str, text: str | None) -> str:
    try:
        return "" if text is None else (part.since if name == "since" else part.until)(text)
    except ValueError as error:
        raise ProblemError(422, "invalid", f"{name}: this is no time", str(error)) from error


def _cursor(text: str, filters: Filters) -> Cursor:
    try:
        return cursor(text, filters)
    except ValueError as error:
        why, _, fix = str(error).partition(": ")
        raise ProblemError(422, "invalid", f"after: {why}", fix) from error


def _answered(found: Any) -> Any:
    if isinstance(found, Refusal):
        raise refused(found)
    if isinstance(found, Unanswered):
        raise ProblemError(_STATUS.get(found.code, 422), found.code, found.why, found.fix)
    return found
