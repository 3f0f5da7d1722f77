"""The tools for Confluence of mcp-atlassian 0.23.1 (sooperset), every toolset on.

A space's key stands where a Jira project's does: rules on projects hold for spaces as well.
"""

from torhaus.policy.known.jira import project
from torhaus.policy.known.rows import hidden, tool, tools

# Pages, comments and attachments are numbers.
_ANY = ("projects",)
_SPACE = (project("space_key"),)

ROWS = {
    **tools(
        "confluence_get_page_children confluence_get_page_diff confluence_get_page_history"
        " confluence_get_page_images confluence_get_page_restrictions confluence_get_page_views"
        " confluence_get_page_template confluence_get_comments confluence_get_inline_comments"
        " confluence_get_labels confluence_get_attachments confluence_search"
        " confluence_check_content_permissions confluence_download_attachment"
        " confluence_download_content_attachments",
        "read", "pages", blind=_ANY,
    ),
    "confluence_get_page": tool("read", "pages", targets=(*_SPACE, *hidden("projects", "page_id"))),
    **tools(
        "confluence_get_space_page_tree confluence_list_page_templates",
        "read", "pages", targets=_SPACE,
    ),
    "confluence_get_space_permissions": tool("read", "spaces", blind=_ANY),
    "confluence_search_user": tool("read", "users", tags="personal"),
    # `content_file` is a file beside the server; the parent may lie in another space.
    "confluence_create_page": tool(
        "write", "pages", targets=(*_SPACE, *hidden("projects", "parent_id")),
        tags="exfiltration",
    ),
    "confluence_create_page_from_template": tool("write", "pages", targets=_SPACE, blind=_ANY),
    "confluence_copy_page": tool(
        "write", "pages", targets=(project("destination_space_key"),), blind=_ANY
    ),
    "confluence_move_page": tool(
        "write", "pages", targets=(project("target_space_key", "none"),), blind=_ANY
    ),
    "confluence_update_page": tool("write", "pages", blind=_ANY, tags="exfiltration"),
    **tools(
        "confluence_update_page_section confluence_add_comment confluence_add_inline_comment"
        " confluence_reply_to_comment confluence_add_label",
        "write", "pages", blind=_ANY,
    ),
    **tools(
        "confluence_upload_attachment confluence_upload_attachments",
        "write", "pages", blind=_ANY, tags="exfiltration",
    ),
    "confluence_set_page_restrictions": tool("admin", "pages", blind=_ANY),
    **tools(
        "confluence_delete_page confluence_delete_attachment", "delete", "pages", blind=_ANY
    ),
}  # fmt: skip
