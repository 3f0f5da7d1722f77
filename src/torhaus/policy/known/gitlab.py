"""The tools of the GitLab servers people run themselves.

@zereight/mcp-gitlab 2.1.64 (every toolset on) and @modelcontextprotocol/server-gitlab 2025.4.25,
whose nine tools have the same names and arguments. GitLab's own server: `gitlab_own`.
"""

from torhaus.policy.known.build import PROJECT_PATH, table
from torhaus.policy.known.rows import hidden, tool, tools
from torhaus.policy.known.spec import Target

PARENTS = {
    "contents": "projects",
    "commits": "projects",
    "branches": "projects",
    "tags": "projects",
    "releases": "projects",
    "wikis": "projects",
    "variables": "projects",
    "webhooks": "projects",
    "labels": "issues",
    "milestones": "issues",
    "work_items": "issues",
    "reviews": "merge_requests",
    "jobs": "pipelines",
    "deployments": "pipelines",
    "environments": "pipelines",
}

# A number names a project that no rule can match, and the server decodes `%2F`: both unknown.
_NAMED = Target(kind="projects", args=("project_id",), pattern=PROJECT_PATH)
_PROJECT = (_NAMED,)
_OTHER = Target(kind="projects", args=("target_project_id",), missing="none", pattern=PROJECT_PATH)
_GROUP = ("projects",)

_ISSUES = {
    **tools(
        "get_issue get_issue_link list_issues list_issue_discussions list_issue_emoji_reactions"
        " list_issue_links list_issue_note_emoji_reactions my_issues get_timeline_events",
        "read", "issues", targets=_PROJECT,
    ),
    **tools(
        "create_issue create_issue_emoji_reaction create_issue_note"
        " create_issue_note_emoji_reaction update_issue update_issue_description_patch"
        " update_issue_note create_timeline_event",
        "write", "issues", targets=_PROJECT,
    ),
    **tools("create_issue_link", "write", "issues", targets=(_NAMED, _OTHER)),
    **tools(
        "delete_issue delete_issue_emoji_reaction delete_issue_link"
        " delete_issue_note_emoji_reaction",
        "delete", "issues", targets=_PROJECT,
    ),
    **tools("get_label list_labels", "read", "labels", targets=_PROJECT),
    **tools("create_label update_label", "write", "labels", targets=_PROJECT),
    **tools("delete_label", "delete", "labels", targets=_PROJECT),
    **tools(
        "get_milestone get_milestone_burndown_events get_milestone_issue"
        " get_milestone_merge_requests list_milestones",
        "read", "milestones", targets=_PROJECT,
    ),
    **tools("create_milestone edit_milestone", "write", "milestones", targets=_PROJECT),
    **tools("delete_milestone", "delete", "milestones", targets=_PROJECT),
    # It becomes the whole group's.
    **tools("promote_milestone", "write", "milestones", targets=_PROJECT, blind=_GROUP),
    **tools(
        "get_group_milestone get_group_milestone_burndown_events get_group_milestone_issue"
        " get_group_milestone_merge_requests list_group_milestones list_group_iterations",
        "read", "milestones", blind=_GROUP,
    ),
    **tools("create_group_milestone edit_group_milestone", "write", "milestones", blind=_GROUP),
    **tools("delete_group_milestone", "delete", "milestones", blind=_GROUP),
}  # fmt: skip

_WORK_ITEMS = {
    **tools(
        "get_work_item list_work_items list_work_item_notes list_work_item_statuses"
        " list_work_item_emoji_reactions list_work_item_note_emoji_reactions"
        " list_custom_field_definitions",
        "read", "work_items", targets=_PROJECT,
    ),
    **tools(
        "create_work_item create_work_item_note create_work_item_emoji_reaction"
        " create_work_item_note_emoji_reaction convert_work_item_type",
        "write", "work_items", targets=_PROJECT,
    ),
    **tools("move_work_item", "write", "work_items", targets=(_NAMED, _OTHER)),
    # Its lists hold objects that name projects of their own.
    "update_work_item": tool(
        "write", "work_items",
        targets=(
            _NAMED,
            Target(
                kind="projects", args=("parent_project_id",), missing="none", pattern=PROJECT_PATH
            ),
            *hidden("projects", "children_to_add", "children_to_remove", "linked_items_to_add",
                    "linked_items_to_remove"),
        ),
    ),
    **tools(
        "delete_work_item_emoji_reaction delete_work_item_note_emoji_reaction",
        "delete", "work_items", targets=_PROJECT,
    ),
}  # fmt: skip

_MERGE_REQUESTS = {
    **tools(
        "get_merge_request get_merge_request_approval_state get_merge_request_conflicts"
        " get_merge_request_diffs get_merge_request_discussion get_merge_request_file_diff"
        " get_merge_request_note get_merge_request_notes get_merge_request_version"
        " list_merge_requests list_merge_request_changed_files list_merge_request_diffs"
        " list_merge_request_emoji_reactions list_merge_request_note_emoji_reactions"
        " list_merge_request_pipelines list_merge_request_versions mr_discussions",
        "read", "merge_requests", targets=_PROJECT,
    ),
    **tools("list_group_merge_requests", "read", "merge_requests", blind=_GROUP),
    **tools("create_merge_request", "write", "merge_requests", targets=(_NAMED, _OTHER)),
    **tools(
        "update_merge_request create_merge_request_emoji_reaction"
        " create_merge_request_note_emoji_reaction create_merge_request_note"
        " update_merge_request_note",
        "write", "merge_requests", targets=_PROJECT,
    ),
    **tools("merge_merge_request", "write", "merge_requests", targets=_PROJECT, tags="merge"),
    **tools(
        "delete_merge_request_emoji_reaction delete_merge_request_note_emoji_reaction"
        " delete_merge_request_note",
        "delete", "merge_requests", targets=_PROJECT,
    ),
    **tools("get_draft_note list_draft_notes", "read", "reviews", targets=_PROJECT),
    **tools(
        "approve_merge_request unapprove_merge_request bulk_publish_draft_notes"
        " publish_draft_note create_draft_note update_draft_note"
        " create_merge_request_discussion_note update_merge_request_discussion_note"
        " create_merge_request_thread resolve_merge_request_thread",
        "write", "reviews", targets=_PROJECT,
    ),
    **tools(
        "delete_draft_note delete_merge_request_discussion_note",
        "delete", "reviews", targets=_PROJECT,
    ),
    "create_note": tool(
        "", "*", targets=_PROJECT,
        method=("noteable_type", {"issue": "write", "merge_request": "write"}),
    ),
}  # fmt: skip

_REPOSITORY = {
    **tools(
        "get_file_contents get_file_blame get_repository_tree get_branch_diffs"
        " search_project_code",
        "read", "contents", targets=_PROJECT,
    ),
    **tools("download_attachment", "read write", "contents", targets=_PROJECT),
    **tools("search_code search_group_code", "read", "contents", blind=_GROUP),
    **tools("create_or_update_file", "write", "contents", targets=_PROJECT),
    # Each of its files may say `action: delete`.
    **tools("push_files", "write delete", "contents", targets=_PROJECT),
    # It reads a file beside the server and hands it out.
    **tools("upload_markdown", "write", "contents", targets=_PROJECT, tags="exfiltration"),
    **tools(
        "get_commit get_commit_diff list_commits list_commit_statuses",
        "read", "commits", targets=_PROJECT,
    ),
    **tools("create_commit_status", "write", "commits", targets=_PROJECT),
    **tools(
        "get_branch list_branches get_protected_branch list_protected_branches",
        "read", "branches", targets=_PROJECT,
    ),
    **tools("create_branch", "write", "branches", targets=_PROJECT),
    **tools("delete_branch", "delete", "branches", targets=_PROJECT),
    **tools(
        "protect_branch unprotect_branch update_default_branch",
        "admin", "branches", targets=_PROJECT,
    ),
    **tools("get_tag get_tag_signature list_tags", "read", "tags", targets=_PROJECT),
    **tools("create_tag", "write", "tags", targets=_PROJECT),
    **tools("delete_tag", "delete", "tags", targets=_PROJECT),
    **tools(
        "get_release list_releases download_release_asset", "read", "releases", targets=_PROJECT
    ),
    **tools(
        "create_release create_release_evidence update_release",
        "write", "releases", targets=_PROJECT,
    ),
    **tools("delete_release", "delete", "releases", targets=_PROJECT),
    **tools("get_wiki_page list_wiki_pages", "read", "wikis", targets=_PROJECT),
    **tools("create_wiki_page update_wiki_page", "write", "wikis", targets=_PROJECT),
    **tools("delete_wiki_page", "delete", "wikis", targets=_PROJECT),
    **tools("get_group_wiki_page list_group_wiki_pages", "read", "wikis", blind=_GROUP),
    **tools("create_group_wiki_page update_group_wiki_page", "write", "wikis", blind=_GROUP),
    **tools("delete_group_wiki_page", "delete", "wikis", blind=_GROUP),
}  # fmt: skip

_PIPELINES = {
    **tools(
        "get_pipeline get_pipeline_test_report get_pipeline_test_report_summary list_pipelines"
        " list_pipeline_schedules list_pipeline_schedule_pipelines list_pipeline_trigger_jobs"
        " wait_for_pipeline validate_project_ci_lint",
        "read", "pipelines", targets=_PROJECT,
    ),
    # What it is given may include files of any other project, and it answers with them.
    **tools("validate_ci_lint", "read", "pipelines", targets=_PROJECT, blind=_GROUP),
    **tools(
        "get_ci_catalog_resource list_ci_catalog_resources", "read", "pipelines", blind=_GROUP
    ),
    **tools(
        "get_pipeline_variables get_pipeline_schedule get_pipeline_schedule_variable"
        " get_pipeline_trigger list_pipeline_triggers",
        "read", "pipelines", targets=_PROJECT, tags="sensitive",
    ),
    **tools("update_pipeline_metadata", "write", "pipelines", targets=_PROJECT),
    **tools(
        "create_pipeline retry_pipeline cancel_pipeline trigger_pipeline play_pipeline_schedule",
        "execute", "pipelines", targets=_PROJECT,
    ),
    # What is written here runs by itself later.
    **tools(
        "create_pipeline_schedule update_pipeline_schedule create_pipeline_schedule_variable"
        " update_pipeline_schedule_variable",
        "write execute", "pipelines", targets=_PROJECT,
    ),
    **tools("take_ownership_pipeline_schedule", "admin", "pipelines", targets=_PROJECT),
    # A trigger is a token: whoever has it runs pipelines.
    **tools(
        "create_pipeline_trigger update_pipeline_trigger",
        "admin", "pipelines", targets=_PROJECT, tags="sensitive",
    ),
    **tools("delete_pipeline_trigger", "admin delete", "pipelines", targets=_PROJECT),
    **tools(
        "delete_pipeline delete_pipeline_schedule delete_pipeline_schedule_variable",
        "delete", "pipelines", targets=_PROJECT,
    ),
    **tools(
        "get_pipeline_job list_pipeline_jobs list_job_artifacts wait_for_job",
        "read", "jobs", targets=_PROJECT,
    ),
    **tools(
        "get_pipeline_job_output get_job_artifact_file",
        "read", "jobs", targets=_PROJECT, tags="sensitive",
    ),
    # It writes to a path beside the server, as `download_attachment` does.
    **tools("download_job_artifacts", "read write", "jobs", targets=_PROJECT, tags="sensitive"),
    **tools(
        "play_pipeline_job play_pipeline_jobs retry_pipeline_job cancel_pipeline_job",
        "execute", "jobs", targets=_PROJECT,
    ),
    **tools("erase_pipeline_job", "delete", "jobs", targets=_PROJECT),
    **tools(
        "get_deployment list_deployments list_deployment_merge_requests",
        "read", "deployments", targets=_PROJECT,
    ),
    **tools("create_deployment update_deployment", "write", "deployments", targets=_PROJECT),
    **tools("approve_deployment", "execute", "deployments", targets=_PROJECT),
    **tools("delete_deployment", "delete", "deployments", targets=_PROJECT),
    **tools("get_environment list_environments", "read", "environments", targets=_PROJECT),
    **tools("update_environment", "write", "environments", targets=_PROJECT),
    **tools(
        "stop_environment stop_stale_environments", "execute", "environments", targets=_PROJECT
    ),
    **tools(
        "delete_environment delete_review_app_environments",
        "delete", "environments", targets=_PROJECT,
    ),
}  # fmt: skip

# A hook may be a project's or a whole group's.
_HOOK = (_NAMED, *hidden("projects", "group_id"))

_SETTINGS = {
    **tools("get_project get_project_events", "read", "projects", targets=_PROJECT),
    **tools(
        "list_projects list_group_projects search_repositories", "read", "projects", blind=_GROUP
    ),
    **tools("update_project", "admin", "projects", targets=_PROJECT),
    **tools("create_repository", "admin", "projects", blind=_GROUP),
    # The copy's name is the server's choice.
    **tools("fork_repository", "admin", "projects", targets=_PROJECT, blind=_GROUP),
    **tools("create_group", "admin", "groups", blind=_GROUP),
    **tools("list_project_members", "read", "members", targets=_PROJECT, tags="personal"),
    **tools("list_group_members", "read", "members", blind=_GROUP, tags="personal"),
    **tools(
        "get_project_variable list_project_variables",
        "read", "variables", targets=_PROJECT, tags="sensitive",
    ),
    **tools(
        "create_project_variable update_project_variable", "admin", "variables", targets=_PROJECT
    ),
    **tools("delete_project_variable", "admin delete", "variables", targets=_PROJECT),
    **tools(
        "get_group_variable list_group_variables",
        "read", "variables", blind=_GROUP, tags="sensitive",
    ),
    **tools("create_group_variable update_group_variable", "admin", "variables", blind=_GROUP),
    **tools("delete_group_variable", "admin delete", "variables", blind=_GROUP),
    **tools("list_webhooks", "read", "webhooks", targets=_HOOK),
    **tools(
        "get_webhook_event list_webhook_events",
        "read", "webhooks", targets=_HOOK, tags="sensitive",
    ),
    **tools(
        "create_webhook update_webhook", "admin", "webhooks", targets=_HOOK, tags="exfiltration"
    ),
    **tools("delete_webhook", "admin delete", "webhooks", targets=_HOOK),
    **tools(
        "list_project_vulnerabilities",
        "read", "security_alerts", targets=_PROJECT, tags="sensitive",
    ),
    **tools("get_vulnerability", "read", "security_alerts", blind=_GROUP, tags="sensitive"),
    **tools(
        "confirm_vulnerability dismiss_vulnerability",
        "write", "security_alerts", blind=_GROUP, tags="sensitive",
    ),
    **tools(
        "get_dependency_proxy_settings list_dependency_proxy_blobs",
        "read", "registries", blind=_GROUP,
    ),
    **tools("update_dependency_proxy_settings", "admin", "registries", blind=_GROUP),
    **tools("purge_dependency_proxy_cache", "delete", "registries", blind=_GROUP),
}  # fmt: skip

_REST = {
    **tools("get_namespace list_namespaces verify_namespace", "read", "namespaces"),
    **tools("get_user get_users whoami", "read", "users"),
    **tools("list_events", "read", "events", blind=_GROUP),
    **tools("list_todos", "read", "todos", blind=_GROUP),
    **tools("mark_todo_done mark_all_todos_done", "write", "todos", blind=_GROUP),
    **tools("orbit_query", "read", "*", blind=_GROUP),
    **tools(
        "orbit_get_schema orbit_get_status orbit_list_tools discover_tools health_check",
        "read", "docs",
    ),
    # Any query or mutation there is.
    **tools("execute_graphql", "read write delete admin execute", "*", blind=_GROUP),
}  # fmt: skip

TOOLS = table(
    {
        **_ISSUES,
        **_WORK_ITEMS,
        **_MERGE_REQUESTS,
        **_REPOSITORY,
        **_PIPELINES,
        **_SETTINGS,
        **_REST,
    }
)
