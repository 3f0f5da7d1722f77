"""Jira and Confluence, by Atlassian's own server or by mcp-atlassian: no name means two things."""

from torhaus.policy.known import confluence, jira, rovo
from torhaus.policy.known.build import table
from torhaus.policy.known.rows import either_tables

PARENTS = {
    "sprints": "boards",
    "versions": "projects",
    "requests": "issues",
    "pages": "spaces",
    "contents": "repos",
}

TOOLS = table(either_tables(jira.ROWS, confluence.ROWS, rovo.ROWS))
