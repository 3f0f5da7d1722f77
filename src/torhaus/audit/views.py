"""The views `audit_logs` and `audit_records` over the files of the audit log, as SQL. Pure."""

from collections.abc import Mapping, Sequence

from torhaus.audit.columns import DAY, FLAT, FLAT_DAY, LATER, RECORD
from torhaus.audit.holdings import Segment

LOGS, RECORDS = "audit_logs", "audit_records"

_ALL = {name: f'"{name}"' for name in RECORD}
_OUTCOMES = "phase IS DISTINCT FROM 'intent'"


PEOPLE = "audit_people"
"""Pseudonyms and whom they mean: a table of `token` and `value`, where there are any."""

PEOPLED = f"CREATE TABLE {PEOPLE} (token VARCHAR PRIMARY KEY, value VARCHAR)"


def views(
    segments: Sequence[Segment], days: Sequence[str], *, people: bool = False
) -> tuple[str, str]:
    """The statements that create both. `segments`: JSON lines, by their paths; `days`: Parquet.

    Either may be none. `people`: `audit_people` says whom pseudonyms mean.

    Lines without a timestamp are no records. A last line that is torn is left out: whether
    records are damaged is for the verifier to say, not for a view.
    """
    logs = _both(segments, days, FLAT, FLAT_DAY, _OUTCOMES)
    records = _both(segments, days, _ALL, _ALL, "true")
    if people:
        logs = _named(logs, '"user"', "user_ip", _FLAT_NAMES)
        records = _named(records, '"user".email', '"user".ip', _RECORD_NAMES)
    return f"CREATE VIEW {LOGS} AS {logs}", f"CREATE VIEW {RECORDS} AS {records}"


_WHO, _WHERE = "coalesce(who.value, {})", "coalesce(place.value, {})"
_WITH = "coalesce(proof.value, l.credential) AS credential"
_FLAT_NAMES = f'{_WHO.format("l.user")} AS "user", {_WHERE.format("l.user_ip")} AS user_ip'
_RECORD_NAMES = (
    f"struct_pack(email := {_WHO.format('l.user.email')}, role := l.user.role, "
    f'ip := {_WHERE.format("l.user.ip")}) AS "user"'
)


def _named(view: str, who: str, place: str, names: str) -> str:
    """The same with people's addresses and credentials where their pseudonyms are known."""
    return (
        f"SELECT l.* REPLACE ({names}, {_WITH}) FROM ({view}) AS l "  # noqa: S608 -- all of it is ours
        f"LEFT JOIN {PEOPLE} AS who ON who.token = l.{who} "
        f"LEFT JOIN {PEOPLE} AS place ON place.token = l.{place} "
        f"LEFT JOIN {PEOPLE} AS proof ON proof.token = l.credential"
    )


def literal(text: str) -> str:
    """Text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _both(
    segments: Sequence[Segment],
    days: Sequence[str],
    hot: Mapping[str, str],
    kept: Mapping[str, str],
    only: str,
) -> str:
    parts = [
        _select(hot, _segments(paths), f"timestamp IS NOT NULL AND {only}{less}")
        for paths, less in _alike(segments)
    ] or [_select(hot, _nothing(), "false")]
    if days:
        parts.append(f"SELECT {_kept(kept)} FROM {_days(days)} WHERE {only}")  # noqa: S608 -- ours
    return " UNION ALL BY NAME ".join(parts)


def _kept(columns: Mapping[str, str]) -> str:
    """Of day files: a column that came later only where one of them has it.

    Elsewhere the view's other parts bring it, empty. Naming it would be an error where all files
    are older. A UNION with an empty table that has it makes counting a third slower, `COLUMNS` does
    not; that has to find a column, so it names the first one too.
    """
    first, *_ = (name for name, what in columns.items() if what in (name, f'"{name}"'))
    named = {name: what for name, what in columns.items() if name not in (first, *LATER)}
    return f"COLUMNS('^({'|'.join((first, *LATER))})$'), {_list(named)}"


def _select(columns: Mapping[str, str], source: str, where: str) -> str:
    return f"SELECT {_list(columns)} FROM {source} WHERE {where}"  # noqa: S608 -- all of it is ours


def _alike(segments: Sequence[Segment]) -> list[tuple[list[str], str]]:
    """Paths of those without the same days, and what that is in SQL."""
    found: dict[tuple[str, ...], list[str]] = {}
    for each in segments:
        found.setdefault(each.without, []).append(each.name)
    return [(paths, _less(without)) for without, paths in found.items()]


def _less(without: tuple[str, ...]) -> str:
    if not without:
        return ""
    return f" AND strftime(timestamp, '%Y-%m-%d') NOT IN ({', '.join(map(literal, without))})"


def _segments(paths: Sequence[str]) -> str:
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in RECORD.items())
    return (
        f"read_json({_paths(paths)}, format = 'newline_delimited', ignore_errors = true, "
        f"hive_partitioning = false, columns = {{{columns}}})"
    )


def _days(paths: Sequence[str]) -> str:
    return f"read_parquet({_paths(paths)}, hive_partitioning = false, union_by_name = true)"


def with_later(files: str) -> str:
    """Day files with the columns that came later, also where none of the files has them."""
    typed = ", ".join(f'NULL::{RECORD[name]} AS "{name}"' for name in LATER)
    return f"(SELECT * FROM {files} UNION ALL BY NAME SELECT {typed} WHERE false)"  # noqa: S608 -- ours


def _nothing() -> str:
    typed = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in RECORD.items())
    return f"(SELECT {typed})"


def _paths(paths: Sequence[str]) -> str:
    return "[" + ", ".join(map(literal, paths)) + "]"


def _list(columns: Mapping[str, str]) -> str:
    return ", ".join(f'{what} AS "{name}"' for name, what in columns.items())


def day_columns() -> str:
    """What a day file's rows are, selected from a segment's."""
    return _list(DAY)
