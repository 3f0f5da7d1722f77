"""The list of what a query may be made of, over parse trees as DuckDB makes them."""

import json

import duckdb
import pytest

from torhaus.store.query.tree import objection

RESERVED = {"pg_settings", "duckdb_views"}


def tree(sql: str) -> dict[str, object]:
    with duckdb.connect() as base:
        row = base.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    assert row is not None
    found: dict[str, object] = json.loads(row[0])
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT DISTINCT ON (user) user, count(*) FILTER (WHERE true) FROM audit_logs GROUP BY ALL",
        "SELECT CASE WHEN a BETWEEN 1 AND 2 THEN -a ELSE a::REAL END FROM (VALUES (1)) v(a)",
        "SELECT list_transform([1], lambda x: x + 1), {'a': [1, 2][1:2]}, 1::DECIMAL(9,2)",
        "SELECT * EXCLUDE (call) REPLACE (upper(user) AS user) FROM audit_logs LIMIT 10%",
        "SELECT sum(1) OVER (PARTITION BY user ORDER BY timestamp DESC NULLS LAST) FROM audit_logs",
        "SELECT 1 UNION ALL BY NAME SELECT 2 AS b EXCEPT SELECT 3 INTERSECT SELECT 4",
        "FROM audit_logs SELECT user GROUP BY GROUPING SETS ((user), ()) HAVING count(*) > 1",
        "FROM audit_logs a ASOF JOIN audit_records r ON a.timestamp >= r.timestamp SELECT a.user",
        "SELECT unnest([1]), COLUMNS('u.*'), ?, $1, #1 FROM AUDIT_LOGS, LATERAL (SELECT 3)",
        "WITH a AS MATERIALIZED (SELECT 1) SELECT * FROM A WHERE EXISTS (SELECT 1 FROM a)",
        "SUMMARIZE audit_logs",
    ],
)
def test_reading_is_allowed_in_all_its_ways(sql: str) -> None:
    assert objection(tree(sql), RESERVED) is None


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("WITH x AS (COPY (SELECT 1) TO 'x') FROM x", "COPY"),
        ("SELECT (WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x)", "INSERT"),
        ("WITH x AS (UPDATE t SET a = 1 RETURNING *) FROM x", "UPDATE"),
        ("WITH x AS (DELETE FROM t RETURNING *) FROM x", "DELETE"),
        ("SELECT DEFAULT", "DEFAULT"),
        ("SELECT 1 WHERE EXISTS (FROM read_csv('x'))", "read_csv()"),
        ("SELECT * FROM system.main.read_text('x')", "read_text()"),
        ("SELECT SYSTEM.MAIN.CURRENT_SETTING('x')", "current_setting"),
        ("SELECT list_transform(['a'], lambda x: getvariable(x))", "getvariable"),
        ("SELECT count(*) FILTER (WHERE getenv('x') = '') FROM audit_logs", "getenv"),
        ("FROM audit_logs ORDER BY current_setting('x')", "current_setting"),
        ("FROM audit_logs LIMIT (SELECT currval('x'))", "currval"),
        ("SELECT current_setting('x') OVER () FROM audit_logs", "current_setting"),
        ("SELECT 'x'.current_setting()", "current_setting"),
        ("FROM 'x.parquet'", "x.parquet"),
        ("FROM pg_settings", "pg_settings"),
        ("FROM other.audit_logs", "other.audit_logs"),
        ("FROM memory.main.audit_logs", "memory.main.audit_logs"),
        ("WITH pg_settings AS (FROM pg_settings) FROM pg_settings", "pg_settings"),
        ("WITH PG_SETTINGS AS (SELECT 1) SELECT 1", "PG_SETTINGS"),
        ('WITH "a.csv" AS (SELECT 1) FROM "a.csv"', "a.csv"),
        ("SHOW TABLES", "SHOW"),
        ("FROM (SHOW DATABASES)", "SHOW"),
        ("COPY (SELECT 1) TO 'x'", "no query"),
        ("SELECT FROM WHERE", "no query"),
    ],
)
def test_anything_else_is_named(sql: str, word: str) -> None:
    said = objection(tree(sql), RESERVED)

    assert said is not None
    assert word in said


@pytest.mark.parametrize(
    "made",
    [
        {"error": False, "statements": [{"node": {"type": "BRAND_NEW_NODE"}}]},
        {"error": False, "statements": [{"node": {"class": "BRAND_NEW", "type": "X"}}]},
        {"error": False, "statements": [{"type": "TABLE_FUNCTION", "function": None}]},
        {"error": False, "statements": [{"type": "SHOW_REF", "show_type": "DESCRIBE"}]},
        {"error": False, "statements": [{"type": "BASE_TABLE"}]},
    ],
)
def test_what_nobody_knows_is_refused(made: dict[str, object]) -> None:
    assert objection(made, RESERVED) is not None


def test_a_deep_query_is_looked_through_to_its_end() -> None:
    inner: dict[str, object] = {"type": "COPY_QUERY_NODE"}
    for _ in range(100_000):
        inner = {"child": inner}

    said = objection({"error": False, "statements": [inner]}, RESERVED)

    assert said == "COPY is not a way to ask: only SELECT is"
    while "child" in inner:  # taken apart from outside: Python frees nested objects by recursion
        inner = inner.pop("child")  # type: ignore[assignment]
