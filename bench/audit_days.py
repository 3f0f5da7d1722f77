"""Day files of made-up audit records, written by DuckDB itself: 10 million take about a minute."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from torhaus.audit.columns import RECORD
from torhaus.audit.views import day_columns

_SERVERS = "['github','sentry','jira','gitlab','firebase','puppeteer','postgres','slack']"
_TOOLS = (
    "['list_issues','get_issue','list_repos','create_issue','delete_repo','get_errors',"
    "'get_stats','list_commits','run_query','deploy']"
)
_ROLES = "['developer','tech-lead','admin','contractor']"
_WHY = "['no rule allows it','repo_denied','outside business hours','limit is used up','expired']"

# `n` is spread by multiplication with odd numbers, so that every run writes the same records.
_RECORDS = f"""
WITH numbers AS (
  SELECT range AS n, hash(range * 5 + 1) AS a, hash(range * 7 + 3) AS b, hash(range * 11 + 5) AS c
  FROM range({{first}}, {{first}} + {{count}})
), facts AS (
  SELECT n, a, b, c, (a % 500)::INT AS who, {_SERVERS}[1 + (b % 8)::INT] AS server,
    (c % 100) >= 3 AS allowed,
    CASE WHEN (b // 8) % 47 < 2 THEN 'sensitive-' || ['billing','hr'][1 + (c % 2)::INT]
      ELSE 'svc-' || ((b // 8) % 47) END AS repo
  FROM numbers
)
SELECT
  TIMESTAMPTZ '{{midnight}}' + to_microseconds(((n - {{first}}) * 86400000000 // {{count}})::BIGINT)
    AS "timestamp",
  'req_' || lower(to_hex(a)) AS request_id,
  {{{{'email': 'user' || who || '@example.com', 'role': {_ROLES}[1 + who % 4],
    'ip': '192.168.' || (who // 250) || '.' || (who % 250 + 1)}}}} AS "user",
  server AS mcp_server,
  {_TOOLS}[1 + (c // 100 % 10)::INT] AS operation,
  (CASE
    WHEN server = 'github' AND b % 3 = 0 THEN
      '{{{{"owner":"myorg","repo":"' || repo || '","page":' || c % 20 || '}}}}'
    WHEN server IN ('github', 'gitlab') THEN
      '{{{{"repo":"myorg/' || repo || '","labels":["bug"],"page":' || c % 20 || '}}}}'
    ELSE '{{{{"project":"production","query":"is:unresolved id:' || c % 1000000 || '"}}}}'
  END)::JSON AS parameters,
  {{{{'status': CASE WHEN allowed THEN 'success' ELSE 'denied' END,
    'items': CASE WHEN allowed THEN (a // 500 % 50)::BIGINT END,
    'cached': allowed AND b // 400 % 10 < 6, 'duration_ms': (a % 400000) / 1000.0,
    'redacted': NULL::BIGINT}}}} AS result,
  {{{{'policy_applied': {_ROLES}[1 + who % 4] || ': rule', 'allowed': allowed,
    'reason': CASE WHEN allowed THEN 'allowed by a rule' ELSE {_WHY}[1 + (b % 5)::INT] END,
    'approval': NULL::VARCHAR}}}} AS access_control,
  {{{{'client': 'claude-code', 'protocol': '2025-11-25', 'sent': (c % 900)::BIGINT,
    'received': (a % 40000)::BIGINT, 'cost': 0.001, 'trace': NULL::VARCHAR}}}} AS call,
  CASE a // 500 % 3
    WHEN 0 THEN 'key:adm_' || md5('key ' || who)[1:20]
    WHEN 1 THEN 'token:con_' || md5('token ' || who)
    ELSE 'file-key:1'
  END AS credential,
  NULL::VARCHAR AS phase
FROM facts
"""


def write_days(directory: Path, last: datetime, *, days: int, records: int) -> list[Path]:
    """`records` in all, spread evenly over the `days` that end with the day of `last`."""
    connection = duckdb.connect(config={"threads": "2", "memory_limit": "1GB"})
    each = records // days
    return [
        _write(
            connection, directory, last.astimezone(UTC) - timedelta(days=back), back * each, each
        )
        for back in range(days)
    ]


def _write(
    connection: duckdb.DuckDBPyConnection, directory: Path, day: datetime, first: int, count: int
) -> Path:
    path = directory / f"day={day:%Y-%m-%d}" / "bench-0000000001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    midnight = f"{day:%Y-%m-%d} 00:00:00+00"
    made = _RECORDS.format(first=first, count=count, midnight=midnight)
    columns = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in RECORD.items())
    connection.execute(
        f"COPY (SELECT {day_columns()} FROM (SELECT {columns} FROM ({made}))) TO '{path}' "
        "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
    )
    return path
