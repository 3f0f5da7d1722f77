"""Questions about the audit log that have names. Pure."""

from collections.abc import Mapping

import msgspec


class Saved(msgspec.Struct, frozen=True):
    """`about`: what it answers, for people."""

    about: str
    sql: str


SHIPPED: Mapping[str, Saved] = {
    "sensitive-repos": Saved(
        "Who touched sensitive repositories in the last 30 days?",
        """SELECT user, operation, timestamp
FROM audit_logs
WHERE mcp_server = 'github'
  AND repo LIKE 'myorg/sensitive-%'
  AND timestamp > NOW() - INTERVAL '30 days'""",
    ),
    "denied": Saved(
        "Which operations were denied, to whom, why, how often?",
        """SELECT user, operation, reason, COUNT(*)
FROM audit_logs
WHERE access_control.allowed = false
GROUP BY user, operation, reason
ORDER BY COUNT(*) DESC""",
    ),
    "top-callers": Saved(
        "Who made the most calls that the cache did not answer, in the last 7 days?",
        """SELECT user, COUNT(*) as requests, SUM(result.items) as items_returned
FROM audit_logs
WHERE timestamp > NOW() - INTERVAL '7 days'
  AND result.cached = false
GROUP BY user
ORDER BY requests DESC
LIMIT 10""",
    ),
    "denied-last-week": Saved(
        "Every refused call of the last 7 days, the newest first.",
        """SELECT timestamp, user, mcp_server, operation, repo, reason, request_id
FROM audit_logs
WHERE NOT access_control.allowed
  AND timestamp > NOW() - INTERVAL '7 days'
ORDER BY timestamp DESC""",
    ),
    "failures-last-day": Saved(
        "Calls that ended in an error in the last 24 hours, by server and tool.",
        """SELECT mcp_server, operation, COUNT(*) AS failed, MAX(timestamp) AS latest
FROM audit_logs
WHERE result.status IN ('error', 'interrupted')
  AND timestamp > NOW() - INTERVAL '24 hours'
GROUP BY mcp_server, operation
ORDER BY failed DESC, mcp_server, operation""",
    ),
    "slowest-tools": Saved(
        "The tools that took longest in the last 7 days: median and 95th percentile.",
        """SELECT mcp_server, operation, COUNT(*) AS calls,
  ROUND(MEDIAN(result.duration_ms), 1) AS median_ms,
  ROUND(QUANTILE_CONT(result.duration_ms, 0.95), 1) AS p95_ms
FROM audit_logs
WHERE timestamp > NOW() - INTERVAL '7 days'
  AND result.status IN ('success', 'error')
  AND NOT result.cached
GROUP BY mcp_server, operation
ORDER BY p95_ms DESC
LIMIT 20""",
    ),
    "administrative-acts": Saved(
        "What was administered in the last 30 days, the newest first.",
        """SELECT timestamp, user, operation, mcp_server, result.status AS status, parameters
FROM audit_logs
WHERE operation LIKE '%.%'
  AND timestamp > NOW() - INTERVAL '30 days'
ORDER BY timestamp DESC""",
    ),
    "changes-without-outcome": Saved(
        "Calls of the last 30 days that were about to change something, and whose end is unknown.",
        """SELECT i.timestamp, i.user.email AS user, i.mcp_server, i.operation, i.request_id
FROM audit_records i
WHERE i.phase = 'intent'
  AND i.timestamp > NOW() - INTERVAL '30 days'
  AND NOT EXISTS (
    SELECT 1 FROM audit_records o WHERE o.phase = 'outcome' AND o.request_id = i.request_id
      AND o.result.status <> 'interrupted')
ORDER BY i.timestamp DESC""",
    ),
    "credentials": Saved(
        "Which keys, clients and sessions were used in the last 30 days, by whom, from where?",
        """SELECT credential, user, COUNT(*) AS records, COUNT(DISTINCT user_ip) AS addresses,
  MIN(timestamp) AS earliest, MAX(timestamp) AS latest
FROM audit_logs
WHERE credential IS NOT NULL
  AND timestamp > NOW() - INTERVAL '30 days'
GROUP BY credential, user
ORDER BY latest DESC, credential, user""",
    ),
    "audit-readers": Saved(
        "Who asked what of the audit log in the last 30 days.",
        """SELECT timestamp, user, parameters
FROM audit_logs
WHERE mcp_server = 'torhaus' AND operation = 'audit.queried'
  AND timestamp > NOW() - INTERVAL '30 days'
ORDER BY timestamp DESC""",
    ),
}


OWN = "of the configuration"
"""What is said about those that the configuration names."""


def named(name: str, own: Mapping[str, str]) -> str | None:
    """The SQL of a question; `own`: those of the configuration, which go before shipped ones."""
    if name in own:
        return own[name]
    found = SHIPPED.get(name)
    return None if found is None else found.sql
