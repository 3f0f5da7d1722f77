"""What people may try to get out of the sandbox with, by name. `filled` names real files in it."""

import os
from typing import Any

from tests.torhaus.store.query.log import AuditLog, call, denied

SEVEN = {
    "a COPY in a WITH": "WITH x AS (COPY (SELECT 1) TO '{file}') SELECT * FROM x",
    "a COPY past allowed_paths": (
        "WITH x AS (COPY (SELECT 1) TO '{file}' (use_tmp_file false)) SELECT * FROM x"
    ),
    "an INSERT in a WITH": "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x",
    "a DELETE in a WITH": "WITH x AS (DELETE FROM audit_logs RETURNING *) SELECT * FROM x",
    "a COPY deep inside": (
        "SELECT * FROM (SELECT * FROM (WITH x AS (COPY (SELECT 1) TO '{file}') SELECT * FROM x))"
    ),
    "out of the brackets": ("SELECT 1) q; COPY (SELECT 1) TO '{file}'; SELECT * FROM (SELECT 1"),
    "behind a comment": "SELECT 1 -- \n; COPY (SELECT 1) TO '{file}'",
}
WRITES = {
    "COPY": "COPY (SELECT 1) TO '{file}'",
    "EXPLAIN ANALYZE COPY": "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}'",
    "EXPORT": "EXPORT DATABASE '{directory}'",
    "ATTACH": "ATTACH '{directory}/new.db'",
    "CREATE": "CREATE TABLE t AS SELECT 1",
    "DROP": "DROP VIEW audit_logs",
    "an UPDATE in a WITH": "WITH x AS (UPDATE t SET a = 1 RETURNING *) SELECT * FROM x",
    "logging to a file": "SELECT * FROM enable_logging(storage='file', storage_path='{directory}')",
    "writing the log": "SELECT write_log('x')",
}
READS = {
    "/etc/passwd": "SELECT * FROM read_text('/etc/passwd')",
    "a file as a table": "SELECT * FROM '/etc/passwd'",
    "the users": "SELECT * FROM read_blob('{directory}/state.db')",
    "the seal": "SELECT * FROM read_text('{directory}/seal.key')",
    "its own environment": "SELECT * FROM read_text('/proc/self/environ')",
    "the gateway's environment": "SELECT * FROM read_text('/proc/{parent}/environ')",
    "the gateway's memory": "SELECT * FROM read_blob('/proc/{parent}/mem')",
    "a list of files": "SELECT * FROM glob('{directory}/**')",
    "a JSON file": "SELECT * FROM read_json('{directory}/audit/journal.jsonl')",
    "a CSV file": "SELECT * FROM read_csv('/etc/passwd', sep=':')",
    "its own segment, raw": "SELECT * FROM read_text('{segment}')",
    "a Parquet file's inside": "SELECT * FROM parquet_metadata('{file}')",
    "a database": "SELECT * FROM read_duckdb('{directory}/state.db')",
    "what a text says": "SELECT * FROM query('SELECT 1')",
    "a table by name": "SELECT * FROM query_table('audit_logs')",
    "a stored statement": "SELECT * FROM json_execute_serialized_sql('x')",
    "a Python object": "SELECT * FROM job",
    "a web page": "SELECT * FROM read_csv('http://127.0.0.1:1/x')",
    "a bucket": "SELECT * FROM 's3://bucket/x.parquet'",
}
TELLS = {
    "a setting": "SELECT current_setting('allowed_paths')",
    "a setting, spelled in full": "SELECT system.main.current_setting('home_directory')",
    "all settings": "SELECT * FROM duckdb_settings()",
    "the settings' view": "SELECT * FROM pg_settings",
    "the settings' view, hidden": "WITH pg_settings AS (FROM pg_settings) FROM pg_settings",
    "the settings' view, hidden below": ("WITH a AS (FROM pg_catalog.pg_settings) SELECT * FROM a"),
    "the environment": "SELECT getenv('HOME')",
    "variables": "SELECT getvariable('x')",
    "views and their files": "SELECT sql FROM duckdb_views()",
    "views by the catalogue": "SELECT * FROM information_schema.views",
    "a view's text": "SELECT pg_get_viewdef(1)",
    "SHOW": "SHOW ALL TABLES",
    "a PRAGMA as a function": "SELECT * FROM pragma_database_list()",
    "secrets": "SELECT * FROM duckdb_secrets()",
}
STATEMENTS = {
    "two of them": "SELECT 1; SELECT 2",
    "none": "",
    "only a comment": "-- nothing",
    "INSTALL": "INSTALL httpfs",
    "LOAD": "LOAD httpfs",
    "PRAGMA": "PRAGMA database_list",
    "SET": "SET memory_limit = '10GB'",
    "SET VARIABLE": "SET VARIABLE x = 1",
    "CALL": "CALL pragma_version()",
    "EXPLAIN": "EXPLAIN SELECT 1",
    "an unclosed comment": "SELECT 1 /*",
    "an unclosed string": "SELECT 'a",
    "brackets the wrong way": "SELECT 1) AS a, (SELECT 2",
    "a NUL": "SELECT 1\x00; SELECT 2",
    "PREPARE": "PREPARE p AS SELECT 1",
    "a sleep": "SELECT sleep_ms(1000)",
    "a sleep, by its other name": "SELECT pg_sleep(1)",
    "a grammar": "SELECT * FROM add_grammar_extension('x')",
}
ESCAPES = {**SEVEN, **WRITES, **READS, **TELLS, **STATEMENTS}

ANSWERED: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "a count": ("SELECT count(*) FROM audit_logs", [(4,)]),
    "a semicolon at the end": ("SELECT count(*) FROM audit_logs;", [(4,)]),
    "a comment at the end": ("SELECT count(*) FROM audit_logs -- all of them", [(4,)]),
    "a comment before": ("/* all */ SELECT count(*) FROM audit_logs", [(4,)]),
    "words of danger as text": (
        "SELECT 'COPY x TO y; read_text(1)' AS a",
        [("COPY x TO y; read_text(1)",)],
    ),
    "FROM first": ("FROM audit_logs SELECT count(*)", [(4,)]),
    "a WITH": ("WITH a AS (SELECT * FROM audit_logs) SELECT count(*) FROM a", [(4,)]),
    "a recursion": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
        "SELECT sum(i) FROM n",
        [(6,)],
    ),
    "a join and a window": (
        "SELECT a.request_id, row_number() OVER (ORDER BY a.request_id) AS n FROM audit_logs a "
        "JOIN audit_records r USING (request_id) ORDER BY 1 LIMIT 1",
        [("r1", 1)],
    ),
    "a union": ("SELECT 1 AS a UNION ALL SELECT 2 ORDER BY a DESC", [(2,), (1,)]),
    "series": ("SELECT * FROM range(2)", [(0,), (1,)]),
    "arguments": ("SELECT DISTINCT parameters->>'$.repo' FROM audit_logs", [("myorg/web",)]),
    "a list of objects": ("SELECT [{'a': 1.5}] AS x", [([{"a": "1.5"}],)]),
    "a schema's name": ("SELECT count(*) FROM main.audit_logs", [(4,)]),
    "a pivot": (
        "SELECT * FROM (PIVOT (SELECT access_control.allowed AS a FROM audit_logs) "
        "ON a IN (true, false) USING count(*))",
        [(2, 2)],
    ),
    "days in another zone": (
        "SELECT count(DISTINCT timezone('Europe/Berlin', timestamp)::DATE) > 1 FROM audit_logs",
        [(True,)],
    ),
}


def filled(sql: str, log: AuditLog) -> str:
    """With the paths of this log, and this process as the gateway."""
    named = {
        "file": next((log.audit / "hot").glob("day=*/*.parquet")),
        "segment": next(log.hot.glob("seg-*")),
        "directory": log.directory,
        "parent": os.getpid(),
    }
    for name, value in named.items():
        sql = sql.replace(f"{{{name}}}", str(value))
    return sql


def everything(log: AuditLog) -> dict[str, bytes]:
    """All files, to be compared."""
    found = (path for path in log.directory.rglob("*") if path.is_file())
    return {str(path.relative_to(log.directory)): path.read_bytes() for path in found}


def tried(log: AuditLog) -> AuditLog:
    """With secrets beside it, and records in a segment and in a day file."""
    (log.directory / "state.db").write_text("the users")
    (log.directory / "seal.key").write_text("the seal")
    log.live(call("r1", 0.1), denied("r2", 0.2))
    log.filed(call("r3", 5.0), denied("r4", 5.0))
    return log
