"""How names are compared, and the one that is ours."""

HOUSE = "torhaus"
"""The gateway itself, where a permission or a record names a server."""


def normal(tool: str) -> str:
    """The name a tool is looked up by; what is forwarded upstream is never changed.

    Other alphabets stay as they are: lower-casing folds the Kelvin sign to an ASCII k.
    """
    return tool.lower().replace("_", "").replace("-", "") if tool.isascii() else tool
