"""Tool names: `listIssues`, `list_issues` and `list-issues` are one tool to policy."""


def normal(tool: str) -> str:
    """The name a tool is looked up by; what is forwarded upstream is never changed."""
    return tool.lower().replace("_", "").replace("-", "")
