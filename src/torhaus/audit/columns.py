"""The columns of the audit log for SQL: in segments, in day files, and in the two views. Pure.

Types are DuckDB's. Segments hold lines that are no records (heads, checkpoints); those have no
`timestamp`.
"""

USER = "STRUCT(email VARCHAR, role VARCHAR, ip VARCHAR)"
RESULT = "STRUCT(status VARCHAR, items BIGINT, cached BOOLEAN, duration_ms DOUBLE, redacted BIGINT)"
ACCESS = "STRUCT(policy_applied VARCHAR, allowed BOOLEAN, reason VARCHAR, approval VARCHAR)"
CALL = (
    "STRUCT(client VARCHAR, protocol VARCHAR, sent BIGINT, received BIGINT, cost DOUBLE, "
    "trace VARCHAR)"
)

RECORD: dict[str, str] = {
    "timestamp": "TIMESTAMPTZ",
    "request_id": "VARCHAR",
    "user": USER,
    "mcp_server": "VARCHAR",
    "operation": "VARCHAR",
    "parameters": "JSON",
    "result": RESULT,
    "access_control": ACCESS,
    "call": CALL,
    "credential": "VARCHAR",
    "phase": "VARCHAR",
}
"""A record as it is written, and the columns that a segment is read with."""

LATER = ("credential",)
"""Columns that day files of older versions lack: what their records have there is unknown."""

_OWNER, _REPO = "parameters->>'$.owner'", "parameters->>'$.repo'"
REPO = f"CASE WHEN {_OWNER} IS NOT NULL THEN {_OWNER} || '/' || ({_REPO}) ELSE {_REPO} END"
"""`owner/repo`, whether the tool takes it as one argument or as two."""

TEXT = '{"_text":'
"""How parameters begin that SQL would not take for JSON: as text, under this key."""

DAY: dict[str, str] = {**{name: f'"{name}"' for name in RECORD}, "repo": REPO}
"""The columns of a day file, each with what it is of a segment's: `SELECT {what} AS "{name}"`.

`repo` stands beside the arguments it is from: who touched a repository in two years is asked of a
column, without reading every call's arguments (10 million records: in 0.4 s instead of 11).
"""

FLAT: dict[str, str] = {
    "timestamp": "timestamp",
    "request_id": "request_id",
    "user": '"user".email',
    "user_role": '"user".role',
    "user_ip": '"user".ip',
    "mcp_server": "mcp_server",
    "operation": "operation",
    "repo": REPO,
    "reason": "access_control.reason",
    "parameters": "parameters",
    "result": "result",
    "access_control": "access_control",
    "call": "call",
    "credential": "credential",
}
"""The view `audit_logs` over RECORD: one row for each call or act. Intents are left out."""

FLAT_DAY: dict[str, str] = {**FLAT, "repo": "repo"}
"""The same over DAY."""
