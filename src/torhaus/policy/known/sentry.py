"""The tools of Sentry's own MCP server (sentry-mcp, commit 4a10932 of 2026-08-18)."""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import tool
from torhaus.policy.known.spec import ServerSpec

_SERVER = ServerSpec(
    project_args=("projectSlug", "projectSlugOrId", "project", "projectSlugs"),
    # Whoever picks the region picks the host that Sentry's token is sent to.
    pinned_args={"regionUrl": r"^https://([a-z0-9-]+\.)*sentry\.io$"},
)

# Each row names the one project argument that its tool has: Sentry ignores the others.
_ROWS = {
    "add_issue_note": tool("write", "issues", "issue_ref"),
    "add_team_to_project": tool("admin", "projects", "project", project_args=("projectSlug",)),
    "analyze_issue_with_seer": tool("execute", "seer", "issue_ref", tags="cost"),
    "create_dsn": tool("admin", "dsns", "project", tags="sensitive", project_args=("projectSlug",)),
    "create_project": tool("admin", "projects", "project_new"),
    "create_team": tool("admin", "teams"),
    "create_uptime_monitor": tool("write", "monitors", "project", project_args=("projectSlug",)),
    "delete_uptime_monitor": tool("delete", "monitors", "project", project_args=("projectSlug",)),
    "execute_sentry_tool": tool("", "*", dispatch=("name", "arguments")),
    "find_alert_rules": tool(
        "read", "alert_rules", "project_optional", project_args=("projectSlug",)
    ),
    "find_dashboards": tool("read", "dashboards", "org"),
    "find_dsns": tool("read", "dsns", "project", tags="sensitive", project_args=("projectSlug",)),
    "find_monitors": tool("read", "monitors", "project_optional", project_args=("projectSlug",)),
    "find_organizations": tool("read", "organizations"),
    "find_projects": tool("read", "projects"),
    "find_releases": tool("read", "releases", "project_optional", project_args=("projectSlug",)),
    "find_teams": tool("read", "teams"),
    "find_uptime_monitors": tool(
        "read", "monitors", "project_optional", project_args=("projectSlug",)
    ),
    "get_ai_conversation_details": tool(
        "read", "events", "project_optional", tags="sensitive", project_args=("project",)
    ),
    "get_alert_rule": tool(
        "read", "alert_rules", "project_optional", project_args=("projectSlug",)
    ),
    "get_dashboard_details": tool("read", "dashboards", "org"),
    "get_doc": tool("read", "docs"),
    "get_event_attachment": tool(
        "read", "events", "project", tags="sensitive", project_args=("projectSlug",)
    ),
    "get_event_stacktrace": tool("read", "events", "issue_ref"),
    "get_issue_activity": tool("read", "issues", "issue_ref"),
    "get_issue_breadcrumbs": tool("read", "events", "issue_ref"),
    "get_issue_details": tool("read", "issues", "issue_ref"),
    "get_issue_tag_values": tool("read", "issues", "issue_ref"),
    "get_issue_user_reports": tool("read", "issues", "issue_ref", tags="personal"),
    "get_latest_base_snapshot": tool(
        "read", "snapshots", "project_optional", project_args=("project",)
    ),
    "get_monitor_details": tool("read", "monitors", "project", project_args=("projectSlugOrId",)),
    "get_profile": tool("read", "profiles", "project_or_url", project_args=("projectSlugOrId",)),
    "get_profile_details": tool(
        "read", "profiles", "project_or_url", project_args=("projectSlugOrId",)
    ),
    "get_release_details": tool(
        "read", "releases", "project_optional", project_args=("projectSlugOrId",)
    ),
    "get_replay_details": tool("read", "replays", "id", tags="personal"),
    "get_sentry_resource": tool("read", "*", "id"),
    "get_snapshot": tool("read", "snapshots", "id"),
    "get_snapshot_image": tool("read", "snapshots", "id"),
    "get_span_details": tool("read", "events", "id"),
    "get_trace_details": tool("read", "events", "id"),
    "get_uptime_monitor_details": tool(
        "read", "monitors", "project", project_args=("projectSlug",)
    ),
    "onboarding_status_update": tool(
        "write", "projects", "project_optional", project_args=("projectSlugs",)
    ),
    "remove_team_from_project": tool(
        "admin delete", "projects", "project", project_args=("projectSlug",)
    ),
    "search_ai_conversations": tool(
        "read", "events", "project_optional", tags="sensitive", project_args=("project",)
    ),
    "search_docs": tool("read", "docs"),
    "search_events": tool("read", "events", "project_optional", project_args=("projectSlug",)),
    "search_issue_events": tool("read", "events", "issue_ref"),
    "search_issues": tool("read", "issues", "project_optional", project_args=("projectSlugOrId",)),
    "search_sentry_tools": tool("read", "docs"),
    "update_dsn": tool("admin", "dsns", "project", project_args=("projectSlug",)),
    "update_issue": tool(
        "",
        "issues",
        "issue_ref",
        method=(
            "status",
            {
                "resolved": "resolve",
                "resolvedInNextRelease": "resolve",
                "unresolved": "write",
                "ignored": "write",
            },
        ),
        absent="write",
    ),
    "update_project": tool("admin", "projects", "project", project_args=("projectSlug",)),
    "update_uptime_monitor": tool("write", "monitors", "project", project_args=("projectSlug",)),
    "whoami": tool("read", "users"),
}

TOOLS = table(_ROWS, _SERVER)
