"""The tools for Jira of mcp-atlassian 0.23.1 (sooperset), every toolset on."""

from torhaus.policy.known.rows import hidden, tool, tools
from torhaus.policy.known.spec import Target

# `ABC-123` lies in project ABC; an issue's number says nothing.
ISSUE_KEY = r"([A-Za-z][A-Za-z0-9_]*)-[0-9]+"
PROJECT_KEY = r"([A-Za-z][A-Za-z0-9_]*)"


def issue(argument: str, missing: str = "unknown") -> Target:
    """An argument that holds an issue's key."""
    return Target(kind="projects", args=(argument,), missing=missing, pattern=ISSUE_KEY)


def project(argument: str, missing: str = "unknown") -> Target:
    """An argument that holds the key of a project, or of a Confluence space."""
    return Target(kind="projects", args=(argument,), missing=missing, pattern=PROJECT_KEY)


_ISSUE = (issue("issue_key"),)
_PROJECT = (project("project_key"),)
# Boards, sprints, service desks, versions by id; JQL; lists of issues in one text.
_ANY = ("projects",)

_READS = {
    **tools(
        "jira_get_issue jira_get_issue_dates jira_get_issue_development_info"
        " jira_get_issue_images jira_get_issue_proforma_forms jira_get_issue_sla"
        " jira_get_issue_watchers jira_get_proforma_form_details jira_get_transitions"
        " jira_get_worklog jira_download_attachments",
        "read", "issues", targets=_ISSUE,
    ),
    # It builds JQL of the key, which therefore has to be nothing but a key.
    "jira_get_project_issues": tool("read", "issues", targets=_PROJECT),
    **tools(
        "jira_search jira_get_board_issues jira_get_sprint_issues jira_batch_get_changelogs"
        " jira_get_issues_development_info",
        "read", "issues", blind=_ANY,
    ),
    **tools(
        "jira_get_create_fields jira_get_project_components jira_get_project_epic_hierarchy"
        " jira_get_project_fields jira_get_project_issue_types jira_get_project_versions",
        "read", "projects", targets=_PROJECT,
    ),
    # It answers with issues of other projects.
    "jira_get_cross_project_dependencies": tool(
        "read", "projects", targets=_PROJECT, blind=_ANY
    ),
    **tools("jira_get_all_projects jira_search_projects", "read", "projects", blind=_ANY),
    "jira_get_agile_boards": tool("read", "boards", targets=_PROJECT),
    "jira_get_sprints_from_board": tool("read", "sprints", blind=_ANY),
    "jira_get_service_desk_for_project": tool("read", "requests", targets=_PROJECT),
    **tools(
        "jira_get_queue_issues jira_get_request_type_fields jira_get_request_types"
        " jira_get_service_desk_queues",
        "read", "requests", blind=_ANY,
    ),
    **tools("jira_get_link_types jira_search_fields", "read", "fields"),
    "jira_get_field_options": tool("read", "fields", targets=(project("project_key", "none"),)),
    "jira_get_user_profile": tool("read", "users", tags="personal"),
    "jira_search_assignable_users": tool(
        "read", "users", tags="personal",
        targets=(
            Target(
                kind="projects", args=("project_key",), either=("issue_key",),
                pattern=rf"{PROJECT_KEY}(?:-[0-9]+)?",
            ),
        ),
    ),
}  # fmt: skip

_WRITES = {
    **tools(
        "jira_add_comment jira_edit_comment jira_add_watcher jira_add_worklog jira_assign_issue"
        " jira_create_remote_issue_link jira_transition_issue jira_update_proforma_form_answers",
        "write", "issues", targets=_ISSUE,
    ),
    # `attachments` are files beside the server.
    "jira_update_issue": tool("write", "issues", targets=_ISSUE, tags="exfiltration"),
    # Its further fields may say another project, and win.
    "jira_create_issue": tool(
        "write", "issues", targets=(*_PROJECT, *hidden("projects", "additional_fields"))
    ),
    "jira_move_issue": tool("write", "issues", targets=(*_ISSUE, project("target_project_key"))),
    "jira_link_to_epic": tool("write", "issues", targets=(*_ISSUE, issue("epic_key"))),
    "jira_create_issue_link": tool(
        "write", "issues", targets=(issue("inward_issue_key"), issue("outward_issue_key"))
    ),
    "jira_batch_create_issues": tool("write", "issues", blind=_ANY),
    **tools(
        "jira_create_sprint jira_update_sprint jira_add_issues_to_sprint"
        " jira_move_issues_to_backlog",
        "write", "sprints", blind=_ANY,
    ),
    **tools("jira_create_version jira_batch_create_versions", "write", "versions",
            targets=_PROJECT),
    "jira_update_version": tool("write", "versions", blind=_ANY),
    "jira_create_customer_request": tool("write", "requests", blind=_ANY, tags="exfiltration"),
    **tools("jira_delete_issue jira_remove_watcher", "delete", "issues", targets=_ISSUE),
    "jira_remove_issue_link": tool("delete", "issues", blind=_ANY),
}  # fmt: skip

ROWS = {**_READS, **_WRITES}
