"""What a SELECT may be made of: looked for in DuckDB's own parse tree, by lists of what is allowed.

`WITH x AS (COPY ... TO 'file')` is a SELECT to DuckDB's parser, and `FROM query('...')` hides SQL
in a text: whether a statement only reads is not in its first word.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torhaus.audit.views import LOGS, RECORDS

NODES = frozenset(
    {
        *("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"),
        *("EMPTY", "BASE_TABLE", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "PIVOT", "SHOW_REF"),
        *("TABLE_FUNCTION", "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"),
        *("DISTINCT_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
    }
)
EXPRESSIONS = frozenset(
    {
        *("STAR", "COLUMN_REF", "CONSTANT", "FUNCTION", "OPERATOR", "COMPARISON", "CONJUNCTION"),
        *("BETWEEN", "CASE", "CAST", "COLLATE", "LAMBDA", "LAMBDA_REF", "PARAMETER"),
        *("POSITIONAL_REFERENCE", "SUBQUERY", "TYPE", "WINDOW"),
    }
)
TABLE_FUNCTIONS = frozenset(
    {"range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree"}
)
"""Functions that make rows of their arguments alone. Others read files, settings or SQL."""

FORBIDDEN = frozenset(
    {
        *("current_setting", "getvariable", "getenv", "current_query", "stats"),
        *("pg_get_viewdef", "pg_get_constraintdef", "get_block_size", "format_type"),
        *("write_log", "sleep_ms", "pg_sleep", "setseed", "nextval", "currval", "setval"),
        *("json_deserialize_sql", "json_serialize_sql", "json_serialize_plan"),
    }
)
"""Functions over single values that tell of the process, or do more than compute."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_HINT = f"read {LOGS} or {RECORDS}"


def objection(tree: Mapping[str, Any], reserved: Iterable[str]) -> str | None:
    """What in it may not be asked, as a sentence; None when all of it may.

    `tree`: what `json_serialize_sql` says. `reserved`: tables that DuckDB itself has, in lower
    case: a subquery with such a name could hide that the real one is read.
    """
    if tree.get("error"):
        return f"this is no query that can be looked at: {tree.get('error_message', '')}"
    parts = list(_parts(tree.get("statements")))
    names = {str(name) for part in parts for name in _named(part)}
    for name in sorted(names):
        if _NAME.fullmatch(name) is None or name.lower() in reserved:
            return f"a subquery cannot be called {name[:64]!r} here: choose another name"
    known = {LOGS, RECORDS, *(name.lower() for name in names)}
    return next((why for part in parts if (why := _wrong(part, known)) is not None), None)


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in it. Without recursion: how deep it is, is up to whoever wrote the query."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _named(part: Mapping[str, Any]) -> Iterator[Any]:
    """The names that a WITH gives."""
    ctes = part.get("cte_map")
    if isinstance(ctes, dict):
        yield from (each.get("key") for each in ctes.get("map", ()))


def _wrong(part: Mapping[str, Any], known: set[str]) -> str | None:
    kind, whole = part.get("type"), part.get("class")
    if whole is not None:
        return _expression(str(whole), part)
    if not isinstance(kind, str) or kind.endswith("_TYPE_INFO"):
        return None
    if kind not in NODES:
        return f"{kind.removesuffix('_QUERY_NODE')} is not a way to ask: only SELECT is"
    if kind == "TABLE_FUNCTION":
        return _table_function(part)
    if kind == "SHOW_REF" and (part.get("show_type") == "SHOW_SPECIAL" or not part.get("query")):
        return f"SHOW tells of the database, not of records: {_HINT}, or DESCRIBE one of them"
    return _table(part, known) if kind == "BASE_TABLE" else None


def _expression(whole: str, part: Mapping[str, Any]) -> str | None:
    if whole not in EXPRESSIONS:
        return f"{whole} is not something that can be asked for"
    names = {str(part.get("function_name")).lower(), *_path(part)[-1:]}
    forbidden = sorted(names & FORBIDDEN) if "function_name" in part else []
    return f"the function {forbidden[0]} is not available here" if forbidden else None


def _table_function(part: Mapping[str, Any]) -> str | None:
    function = part.get("function")
    if not isinstance(function, dict):
        return "a table function without a name"
    names = {str(function.get("function_name")).lower(), *_path(function)[-1:]}
    if names <= TABLE_FUNCTIONS:
        return None
    return f"{sorted(names - TABLE_FUNCTIONS)[0]}() cannot be read from: {_HINT}"


def _table(part: Mapping[str, Any], known: set[str]) -> str | None:
    path = _path(part)
    named = str(part.get("table_name")).lower()
    bare = path in ([named], ["main", named])
    if bare and named in known and not part.get("catalog_name"):
        return None
    return f"there is no {'.'.join(path or [named])[:128]!r} to read: {_HINT}"


def _path(part: Mapping[str, Any]) -> list[str]:
    qualified = part.get("qualified_name")
    path = qualified.get("path") if isinstance(qualified, dict) else None
    return [str(each).lower() for each in path] if isinstance(path, list) else []
