"""The tools of the reference servers: time, git, filesystem, memory, everything.

Read from the packages of October 2026 (Python) and August 2026 (Node).
"""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import tool

TIME = table(
    {
        "get_current_time": tool("read", "time"),
        "convert_time": tool("read", "time"),
    }
)

GIT = table(
    {
        "git_status": tool("read", "repos"),
        "git_diff_unstaged": tool("read", "repos"),
        "git_diff_staged": tool("read", "repos"),
        "git_diff": tool("read", "repos"),
        "git_log": tool("read", "commits"),
        "git_show": tool("read", "commits"),
        "git_branch": tool("read", "branches"),
        "git_add": tool("write", "repos"),
        "git_commit": tool("write", "commits"),
        "git_reset": tool("write", "repos"),
        "git_checkout": tool("write", "repos"),
        "git_create_branch": tool("write", "branches"),
    }
)

GIT_PARENTS = {"commits": "repos", "branches": "repos"}

FILESYSTEM = table(
    {
        "read_file": tool("read", "files"),
        "read_text_file": tool("read", "files"),
        "read_media_file": tool("read", "files"),
        "read_multiple_files": tool("read", "files"),
        "get_file_info": tool("read", "files"),
        "search_files": tool("read", "files"),
        "list_directory": tool("read", "directories"),
        "list_directory_with_sizes": tool("read", "directories"),
        "list_allowed_directories": tool("read", "directories"),
        "directory_tree": tool("read", "directories"),
        "create_directory": tool("write", "directories"),
        "write_file": tool("write", "files"),
        "edit_file": tool("write", "files"),
        "move_file": tool("write", "files"),
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
