"""Tools that GitHub servers offered under other names, and many still run.

github-mcp-server 0.5 to 1.8 and its table of renamed tools; @modelcontextprotocol/server-github
2025.4.8, whose other tools have the names and arguments of today.
"""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import tools

TOOLS = table(
    {
        **tools("get_issue get_issue_comments", "read", "issues", "repo"),
        **tools("list_sub_issues", "read", "sub_issues", "repo"),
        **tools("update_issue", "write", "issues", "repo"),
        **tools(
            "get_pull_request get_pull_request_diff get_pull_request_files get_pull_request_status",
            "read",
            "pull_requests",
            "repo",
        ),
        **tools(
            "get_pull_request_comments get_pull_request_review_comments get_pull_request_reviews",
            "read",
            "reviews",
            "repo",
        ),
        **tools(
            "add_pull_request_review_comment_to_pending_review"
            " create_and_submit_pull_request_review create_pending_pull_request_review",
            "write",
            "reviews",
            "repo",
        ),
        **tools(
            "download_workflow_run_artifact get_workflow get_workflow_job get_workflow_run"
            " get_workflow_run_usage list_workflow_jobs list_workflow_run_artifacts"
            " list_workflow_runs list_workflows",
            "read",
            "actions",
            "repo",
        ),
        **tools(
            "get_workflow_job_logs get_workflow_run_logs",
            "read",
            "actions",
            "repo",
            tags="sensitive",
        ),
        **tools(
            "run_workflow rerun_workflow_run rerun_failed_jobs cancel_workflow_run",
            "execute",
            "actions",
            "repo",
        ),
        **tools("delete_workflow_run_logs", "delete", "actions", "repo"),
        **tools(
            "get_project get_project_field get_project_item list_projects list_project_fields"
            " list_project_items",
            "read",
            "projects",
            "org",
        ),
        **tools("add_project_item update_project_item", "write", "projects", "org"),
        **tools("delete_project_item", "delete", "projects", "org"),
        **tools("list_available_toolsets get_toolset_tools", "read", "docs"),
        # It changes what the server offers in this session.
        **tools("enable_toolset", "write", "docs"),
    }
)
