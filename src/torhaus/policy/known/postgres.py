"""The tools of the PostgreSQL servers: @modelcontextprotocol/server-postgres, postgres-mcp 0.3.0.

Neither keeps SQL to reading. The first wraps it in a read-only transaction that the SQL itself can
end (`COMMIT; DROP …`, 0.6.2), the second is started unrestricted as often as not: so whoever may
write SQL executes. A database user without rights is the lock to trust.
"""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import tool, tools

TOOLS = table(
    {
        **tools("query execute_sql", "execute", "databases"),
        # With `analyze` it runs what it explains.
        "explain_query": tool("execute", "databases"),
        # One `method` asks a language model, which sees the queries and costs money.
        **tools(
            "analyze_query_indexes analyze_workload_indexes", "execute", "databases", tags="cost"
        ),
        **tools("list_schemas list_objects get_object_details", "read", "schemas"),
        **tools("get_top_queries analyze_db_health", "read", "databases"),
    }
)
