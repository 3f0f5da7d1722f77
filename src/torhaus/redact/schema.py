"""JSON Schemas have fields called `password` that hold no password."""

import re

_TYPE = re.compile(
    r'\{\s*(?:"[^"\\]{0,200}"\s*:\s*"[^"\\]{0,1000}"\s*,\s*){0,8}"(?:type|\$ref)"\s*:\s*'
    r'"(?:string|integer|number|boolean|object|array|null|#[^"\\]{0,200})"'
)
_MEMBER = re.compile(r'"(?:default|const|value|example|examples|enum|data|secret|plain)"\s*:')
MAX_LOOK = 4096
"""Characters of an object that are looked at; longer ones are no schema of one field."""


def is_schema(text: str, at: int) -> bool:
    """Whether the object that begins at `at` describes a value instead of holding one."""
    end = text.find("}", at, at + MAX_LOOK)
    return _TYPE.match(text, at, end) is not None and _MEMBER.search(text, at, end) is None
