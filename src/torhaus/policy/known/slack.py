"""The tools of three Slack servers, which share no name that means two things.

@modelcontextprotocol/server-slack 2025.4.25; slack-mcp-server 1.3.0 (korotovsky); and Slack's own
(mcp.slack.com), as users recorded its list by August 2026: its schemas are not public.
"""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import either_tables, hidden, tool, tools
from torhaus.policy.known.spec import Target

PARENTS = {"messages": "channels", "files": "channels"}

# By id or by name: a rule knows a channel only as it is spelled, which is why an allow list is
# safe and a deny list is not. People (`U…`, `@name`) are no channels: unknown.
_NAME = r"([CDG][A-Z0-9]{2,30}|#[^\s#@,]{1,80})"


def _channel(argument: str, missing: str = "unknown") -> Target:
    return Target(kind="channels", args=(argument,), missing=missing, pattern=_NAME)


_CHANNEL = (_channel("channel_id"),)
_CONVERSATION = (_channel("conversation_id"),)
# Searches, lists of all channels, files and canvases by id.
_ANY = ("channels",)

_REFERENCE = {
    "slack_list_channels": tool("read", "channels", blind=_ANY),
    **tools(
        "slack_get_channel_history slack_get_thread_replies", "read", "messages", targets=_CHANNEL
    ),
    **tools(
        "slack_post_message slack_reply_to_thread slack_add_reaction",
        "write", "messages", targets=_CHANNEL,
    ),
    **tools("slack_get_users slack_get_user_profile", "read", "users", tags="personal"),
}  # fmt: skip

_KOROTOVSKY = {
    **tools("channels_list channels_me", "read", "channels", blind=_ANY),
    **tools("conversations_history conversations_replies", "read", "messages", targets=_CHANNEL),
    **tools(
        "conversations_search_messages conversations_unreads saved_list",
        "read", "messages", blind=_ANY,
    ),
    **tools(
        "conversations_add_message reactions_add conversations_mark",
        "write", "messages", targets=_CHANNEL,
    ),
    "reactions_remove": tool("delete", "messages", targets=_CHANNEL),
    "saved_update": tool("write", "messages", targets=(_channel("item_id"),)),
    "saved_clear_completed": tool("delete", "messages", blind=_ANY),
    "attachment_get_data": tool("read", "files", blind=_ANY),
    "users_search": tool("read", "users", tags="personal"),
    "usergroups_list": tool("read", "usergroups"),
    "usergroups_me": tool(
        "", "usergroups", method=("action", {"list": "read", "join": "write", "leave": "write"})
    ),
    # A group's channels are a list in one text.
    **tools(
        "usergroups_create usergroups_update",
        "admin", "usergroups", targets=hidden("channels", "channels"),
    ),
    # Whoever is not in the new list is out.
    "usergroups_users_update": tool("admin delete", "usergroups"),
}  # fmt: skip

_OWN = {
    **tools(
        "slack_search_channels slack_list_user_channels slack_list_user_conversations",
        "read", "channels", blind=_ANY,
    ),
    "slack_list_channel_members": tool("read", "channels", targets=_CHANNEL, tags="personal"),
    **tools("slack_read_channel slack_read_thread slack_get_reactions", "read", "messages",
            targets=_CHANNEL),
    **tools(
        "slack_search_public slack_search_public_and_private slack_list_starred_items",
        "read", "messages", blind=_ANY,
    ),
    **tools(
        "slack_send_message slack_send_message_draft slack_schedule_message slack_edit_message",
        "write", "messages", targets=_CHANNEL,
    ),
    "slack_delete_message": tool("delete", "messages", targets=_CHANNEL),
    "slack_create_conversation": tool("write", "channels", blind=_ANY),
    **tools(
        "slack_invite_to_conversation slack_join_conversation slack_leave_conversation",
        "write", "channels", targets=_CONVERSATION,
    ),
    **tools("slack_read_canvas slack_read_file slack_read_list", "read", "files", blind=_ANY),
    **tools(
        "slack_create_canvas slack_update_canvas slack_create_list slack_add_list_record"
        " slack_update_list_record",
        "write", "files", blind=_ANY,
    ),
    # It may take columns away, with what is in them.
    "slack_update_list": tool("write delete", "files", blind=_ANY),
    "slack_get_file_upload_url": tool("write", "files"),
    "slack_complete_file_upload": tool(
        "write", "files", targets=(_channel("channel_id", "none"),)
    ),
    **tools("slack_search_users slack_read_user_profile", "read", "users", tags="personal"),
    "slack_update_user_profile": tool("write", "users"),
    "slack_list_user_groups": tool("read", "usergroups"),
    "slack_create_reminder": tool("write", "reminders"),
    **tools("slack_search_emojis slack_list_workspaces", "read", "workspaces"),
}  # fmt: skip

TOOLS = table(either_tables(_REFERENCE, _KOROTOVSKY, _OWN))
