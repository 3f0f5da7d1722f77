"""Values from outside the file: `${NAME}` from the environment, `*_file` from a file.

The result is always text and is never read again: what a variable holds can not add keys,
other variables, or YAML.
"""

import re
from collections.abc import Mapping
from pathlib import Path as FilePath

from torhaus.config.source import clean
from torhaus.config.tree import Node, Part, Path, Source, meant

_REFERENCE = re.compile(r"\$(\$\{)|\$\{([^}]*)(\}?)")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:-(?:(?!\$\{).)*)?", re.DOTALL)
_MAX_SECRET = 64 * 1024
_MAX_METADATA = 1024 * 1024

_PROVIDERS: tuple[tuple[Part, ...], ...] = (
    ("oauth",),
    ("oidc",),
    ("saml",),
    ("ldap",),
    ("providers", "*"),
)
_OF_PROVIDERS = (
    "bind_password_file",
    "client_secret_file",
    "metadata_file",
    "signing_certificate_file",
    "signing_key_file",
)
# Where a secret may come from a file; `*` is any one key or index.
FILES: tuple[tuple[Part, ...], ...] = (
    ("audit_logs", "publish", "*", "bucket", "access_key_id_file"),
    ("audit_logs", "publish", "*", "bucket", "secret_access_key_file"),
    ("audit_logs", "publish", "*", "webhook", "secret_file"),
    ("audit_logs", "sinks", "*", "webhook", "secret_file"),
    ("audit_logs", "sinks", "*", "elasticsearch", "api_key_file"),
    ("audit_logs", "sinks", "*", "elasticsearch", "password_file"),
    ("audit_logs", "sinks", "*", "opensearch", "api_key_file"),
    ("audit_logs", "sinks", "*", "opensearch", "password_file"),
    *(("auth", *where, key) for where in _PROVIDERS for key in _OF_PROVIDERS),
    ("auth", "server", "clients", "*", "secret_file"),
    ("auth", "scim", "*", "token_file"),
    ("auth", "scim", "*", "old_token_file"),
    ("mcpServers", "*", "auth", "token_file"),
    ("mcpServers", "*", "auth", "password_file"),
    ("mcpServers", "*", "auth", "value_file"),
    ("mcpServers", "*", "auth", "client_secret_file"),
    ("mcpServers", "*", "auth", "private_key_file"),
    ("notifications", "webhook", "secret_file"),
    ("notifications", "email", "password_file"),
    ("storage", "audit", "access_key_id_file"),
    ("storage", "audit", "secret_access_key_file"),
    ("storage", "state_file"),
    ("storage", "redis", "password_file"),
    ("storage", "redis", "sentinel_password_file"),
    ("users", "*", "api_keys_file"),
)
# A large file has tens of thousands of places, of which next to none ends in one of these.
_NAMES = frozenset(path[-1] for path in FILES)


def interpolate(source: Source, environ: Mapping[str, str]) -> None:
    """Replace `${NAME}` and `${NAME:-default}` in every text value; `$${` stands for `${`.

    A default also stands in for a variable that is set but empty, as in shells.
    """
    if "${" not in source.text:
        return
    for path, node in source.root.walk():
        if isinstance(node.value, str) and "${" in node.value:
            _expand(source, path, node, environ)


def _expand(source: Source, path: Path, node: Node, environ: Mapping[str, str]) -> None:
    problems = len(source.problems)
    text = str(node.value)

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return "${"
        inside = _INSIDE.fullmatch(found[2])
        if inside is None or not found[3]:
            source.error(path, "${ without a name and }", _SPELLING)
            return ""
        name, default = inside[1], inside[2]
        node.outside = True
        if default is not None:
            return environ.get(name) or default[2:]
        if name not in environ:
            close = meant(name, list(environ))
            hint = f"did you mean ${{{close}}}? Or " if close else ""
            fix = f"{hint}set it (export {name}=...) or give a default: ${{{name}:-value}}"
            source.error(path, f"the environment variable {name} is not set", fix)
        return environ.get(name, "")

    result = _REFERENCE.sub(value, text)
    if not clean(result):
        source.error(path, "the variable holds a NUL or is not UTF-8", "set it to plain text")
    node.broken = len(source.problems) > problems
    if not node.broken:
        node.value = result


_SPELLING = "write ${NAME} or ${NAME:-default} without nesting; for a literal ${ write $${"


def read_files(source: Source) -> None:
    """Put the contents of `token_file: PATH` where `token` would be, and so on.

    Paths are relative to the configuration file. One trailing line break is dropped.
    """
    if not any(f"{path[-1]}" in source.text for path in FILES):
        return
    base = FilePath(source.name).parent
    for path, node in list(source.root.walk()):
        if path == () or path[-1] not in _NAMES or not isinstance(node.value, str):
            continue
        if any(_matches(path, pattern) for pattern in FILES):
            block = source.nodes(path[:-1])[-1]
            _read_file(source, path, block, base / node.value)


def _matches(path: Path, pattern: tuple[Part, ...]) -> bool:
    return len(path) == len(pattern) and all(
        p in ("*", part) for part, p in zip(path, pattern, strict=True)
    )


def _read_file(source: Source, path: Path, block: Node, file: FilePath) -> None:
    key = str(path[-1])
    plain = key.removesuffix("_file")
    node = block.child(key)
    if node is None or not isinstance(block.value, dict):
        return
    if plain in block.value:
        source.error(path, f"{plain} and {key} are both given", "keep one of them")
        return
    most = _MAX_METADATA if plain == "metadata" else _MAX_SECRET
    try:
        with file.open("rb") as stream:
            raw = stream.read(most + 1)
        text = raw.decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        source.error(path, f"the file cannot be read: {reason}", "check the path and its rights")
        node.broken = True
        return
    if len(raw) > most or not clean(text):
        message = f"the file is larger than {most >> 10} KiB or holds a NUL"
        source.error(path, message, "check the path")
        node.broken = True
        return
    del block.value[key]
    block.value[plain] = _contents(plain, text, node.line)
    block.key_lines[plain] = block.key_lines[key]


def _contents(plain: str, text: str, line: int) -> Node:
    if plain != "api_keys":
        return Node(line, text.removesuffix("\n").removesuffix("\r"), outside=True)
    # One key a line, as people keep such lists.
    keys = [word for row in text.splitlines() if (word := row.strip()) and word[0] != "#"]
    return Node(line, [Node(line, key, outside=True) for key in keys])
