"""What the gate must know about each protocol method, as tables."""

NAMED = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
"""Method -> the parameter that `Mcp-Name` repeats."""

REMOVED_IN_MODERN = frozenset(
    (
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "notifications/initialized",
        "notifications/roots/list_changed",
    )
)
"""Methods that answer 404 and -32601 in the modern era."""

ONLY_MODERN = frozenset(("server/discover", "subscriptions/listen", "tasks/update"))

MAY_ASK = frozenset(("tools/call", "prompts/get", "resources/read"))
"""Methods whose modern result may be `input_required`."""

LISTS = {
    "tools/list": "tools",
    "prompts/list": "prompts",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
}
"""List method -> the member that holds the items."""

DECISIVE = frozenset(
    (
        "name",
        "arguments",
        "uri",
        "ref",
        "cursor",
        "taskId",
        "task",
        "requestState",
        "inputResponses",
    )
)
"""Parameters by which a request is decided, or by which the gate treats it in a special way."""

READS = {
    "prompts/list": "prompts/get",
    "resources/list": "resources/read",
    "resources/templates/list": "resources/read",
}
"""List method -> the method that gets one of its items."""

UPDATED = "notifications/resources/updated"

WITHOUT_TIMEOUT = frozenset(("subscriptions/listen",))
