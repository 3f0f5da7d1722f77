"""The tools of the reference servers: time, fetch, git, filesystem, memory, everything.

mcp-server-time 2026.10.19, mcp-server-fetch 2026.10.24, mcp-server-git 2026.10.19; of
@modelcontextprotocol server-filesystem, server-memory and server-everything 2026.8.31.
"""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import tool, tools
from torhaus.policy.known.spec import Target

_PATH = (Target(kind="paths", args=("path",)),)
_PATHS = (Target(kind="paths", args=("paths",), many=True),)
_MOVED = (Target(kind="paths", args=("source",)), Target(kind="paths", args=("destination",)))
_REPO = (Target(kind="paths", args=("repo_path",)),)

TIME = table(
    {
        "get_current_time": tool("read", "time"),
        "convert_time": tool("read", "time"),
    }
)

# It asks any URL, from where it runs, and a URL carries data out.
FETCH = table({"fetch": tool("read", "web", tags="exfiltration")})

GIT = table(
    {
        **tools(
            "git_status git_diff_unstaged git_diff_staged git_diff", "read", "repos", targets=_REPO
        ),
        **tools("git_log git_show", "read", "commits", targets=_REPO),
        "git_branch": tool("read", "branches", targets=_REPO),
        **tools("git_add git_reset git_checkout", "write", "repos", targets=_REPO),
        "git_commit": tool("write", "commits", targets=_REPO),
        "git_create_branch": tool("write", "branches", targets=_REPO),
    }
)

GIT_PARENTS = {"commits": "repos", "branches": "repos"}

FILESYSTEM = table(
    {
        **tools(
            "read_file read_text_file read_media_file get_file_info search_files",
            "read",
            "files",
            targets=_PATH,
        ),
        "read_multiple_files": tool("read", "files", targets=_PATHS),
        **tools(
            "list_directory list_directory_with_sizes directory_tree",
            "read",
            "directories",
            targets=_PATH,
        ),
        "list_allowed_directories": tool("read", "directories"),
        "create_directory": tool("write", "directories", targets=_PATH),
        **tools("write_file edit_file", "write", "files", targets=_PATH),
        "move_file": tool("write", "files", targets=_MOVED),
    }
)

MEMORY = table(
    {
        "read_graph": tool("read", "memory"),
        "search_nodes": tool("read", "memory"),
        "open_nodes": tool("read", "memory"),
        "create_entities": tool("write", "memory"),
        "create_relations": tool("write", "memory"),
        "add_observations": tool("write", "memory"),
        "delete_entities": tool("delete", "memory"),
        "delete_observations": tool("delete", "memory"),
        "delete_relations": tool("delete", "memory"),
    }
)

EVERYTHING = table(
    {
        "echo": tool("read", "samples"),
        "get-annotated-message": tool("read", "samples"),
        "get-env": tool("read", "environment", tags="sensitive"),
        "get-resource-links": tool("read", "samples"),
        "get-resource-reference": tool("read", "samples"),
        "get-roots-list": tool("read", "samples"),
        "get-structured-content": tool("read", "samples"),
        "get-sum": tool("read", "samples"),
        "get-tiny-image": tool("read", "samples"),
        "gzip-file-as-resource": tool("write", "samples"),  # fetches any URL and keeps the result
        "simulate-research-query": tool("execute", "samples"),
        "toggle-simulated-logging": tool("write", "samples"),
        "toggle-subscriber-updates": tool("write", "samples"),
        "trigger-elicitation-request": tool("execute", "samples"),
        "trigger-elicitation-request-async": tool("execute", "samples"),
        "trigger-long-running-operation": tool("execute", "samples"),
        "trigger-sampling-request": tool("execute", "samples", tags="cost"),
        "trigger-sampling-request-async": tool("execute", "samples", tags="cost"),
        "trigger-url-elicitation": tool("execute", "samples"),
    }
)
