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
    "phase": "VARCHAR",
}
"""A record as it is written, and the columns of a day file."""

_OWNER, _REPO = "parameters->>'$.owner'", "parameters->>'$.repo'"
REPO = f"CASE WHEN {_OWNER} IS NOT NULL THEN {_OWNER} || '/' || ({_REPO}) ELSE {_REPO} END"
"""`owner/repo`, whether the tool takes it as one argument or as two."""

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
}
"""The view `audit_logs`: one row for each call or act. Intents are left out."""
