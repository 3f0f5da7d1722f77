"""The tools of GitLab's own MCP server (/api/v4/mcp), as its documentation of 19.4 lists them.

With the names that older releases list and newer ones still answer to (18.3 and later).
"""

from torhaus.policy.known.build import PROJECT_PATH, table
from torhaus.policy.known.gitlab import PARENTS as _COMMUNITY
from torhaus.policy.known.rows import hidden, tool, tools
from torhaus.policy.known.spec import Target

PARENTS = {**_COMMUNITY, "sessions": "projects"}

# A number or a URL names a project that no rule can match; in `id`, so does `%2F`.
_NAMED = Target(kind="projects", args=("project_id",), pattern=PROJECT_PATH)
_ID = (Target(kind="projects", args=("id",), pattern=PROJECT_PATH),)
_PROJECT = (_NAMED,)
_OR_URL = (_NAMED, *hidden("projects", "url"))
_OR_GROUP = (_NAMED, *hidden("projects", "url", "group_id"))
_TO_OTHER = (
    _NAMED,
    Target(kind="projects", args=("target_project_id",), missing="none", pattern=PROJECT_PATH),
)
_ANY = ("projects",)

_CODE = {
    # Each of its actions may say `delete`.
    "add_commit": tool("write delete", "contents", targets=_OR_URL),
    **tools("add_branch create_branch", "write", "branches", targets=_OR_URL),
    "get_repository_file": tool("read", "contents", targets=_OR_URL),
    "semantic_code_search": tool("read", "contents", targets=_PROJECT),
    "get_commit": tool("read", "commits", targets=_OR_URL),
    "list_releases": tool("read", "releases", targets=_OR_URL),
    "list_wiki_pages": tool("read", "wikis", targets=(_NAMED, *hidden("projects", "group_id"))),
    "list_project_members": tool("read", "members", targets=_PROJECT, tags="personal"),
    # Projects and groups by global ids.
    "attach_scan_profile": tool("admin", "security_alerts", blind=_ANY),
}

_MERGE_REQUESTS = {
    "get_merge_request": tool("read", "merge_requests", targets=_OR_URL),
    **tools(
        "list_merge_requests get_merge_request_notes", "read", "merge_requests", targets=_OR_URL
    ),
    **tools(
        "get_merge_request_commits get_merge_request_diffs get_merge_request_pipelines",
        "read", "merge_requests", targets=_ID,
    ),
    "save_merge_request": tool("write", "merge_requests", targets=_TO_OTHER),
    # Under these names older releases took `id`, newer ones take `project_id`.
    **tools("create_merge_request update_merge_request", "write", "merge_requests", blind=_ANY),
    **tools("create_merge_request_note", "write", "merge_requests", targets=_OR_URL),
    "accept_merge_request": tool("write", "merge_requests", targets=_OR_URL, tags="merge"),
    "save_merge_request_review": tool(
        "", "reviews", targets=_OR_URL,
        method=(
            "method",
            {
                "create_note": "write",
                "reply_discussion": "write",
                "create_diff_note": "write",
                "resolve_discussion": "write",
                "submit_review": "write",
                "post_duo_review": "execute",
                "approve": "write",
                "unapprove": "write",
            },
        ),
    ),
}  # fmt: skip

_PIPELINES = {
    **tools("get_pipeline get_pipeline_jobs list_pipelines", "read", "pipelines", targets=_ID),
    "get_job": tool("read", "jobs", targets=_ID, tags="sensitive"),
    "get_job_log": tool("read", "jobs", targets=_ID, tags="sensitive"),
    # With a pipeline's id the project is not read.
    "save_pipeline": tool("execute", "pipelines", blind=_ANY),
    # Renames when it is given a name, deletes when not.
    "manage_pipeline": tool("write delete", "pipelines", targets=_ID),
}

_WORK_ITEMS = {
    "create_issue": tool("write", "issues", targets=_ID),
    "get_issue": tool("read", "issues", targets=_ID),
    **tools(
        "get_work_item get_workitem_notes list_work_items", "read", "work_items", targets=_OR_GROUP
    ),
    # The saved view is an id.
    "get_saved_view_work_items": tool("read", "work_items", blind=_ANY),
    **tools("create_workitem_note", "write", "work_items", targets=_OR_GROUP),
    # Its parent, or what it is linked to, may lie in any project.
    **tools(
        "save_work_item create_work_item update_work_item link_work_items",
        "write", "work_items", blind=_ANY,
    ),
    "save_note": tool("write", "*", targets=_OR_GROUP),
    # `full_path` may be a group's.
    "search_labels": tool("read", "labels", blind=_ANY),
}  # fmt: skip

TOOLS = table(
    {
        **_CODE,
        **_MERGE_REQUESTS,
        **_PIPELINES,
        **_WORK_ITEMS,
        **tools("search gitlab_search", "read", "*", blind=_ANY),
        "list_duo_sessions": tool("read", "sessions", targets=_OR_URL),
        "get_mcp_server_version": tool("read", "docs"),
    }
)
