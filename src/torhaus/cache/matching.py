"""Which kept answers a selector means."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.model.caching import Selector
from torhaus.model.names import normal


def covers(selector: Selector, tag: str, arguments: bytes, owner: str | None) -> bool:
    """Whether an answer under `tag` with these arguments (JSON text, or empty) is meant.

    In doubt it is: an answer too many is fetched again, one too few is wrong for a while.
    """
    if not under(selector.tag, tag):
        return False
    if selector.owner is not None and selector.owner != owner:
        return False
    if not selector.where or not arguments:
        return True
    try:
        known = msgspec.json.decode(arguments)
    except msgspec.MsgspecError:
        return True
    return all(_fits(name, wanted, known) for name, wanted in selector.where)


def under(wide: str, tag: str) -> bool:
    """Whether `tag` is `wide` or a tool of the server it names. Spellings of a tool are equal."""
    server, dot, tool = wide.partition(".")
    at, _, operation = tag.partition(".")
    return server == at and (not dot or tool == operation or normal(tool) == normal(operation))


def _fits(name: str, wanted: str, arguments: Mapping[str, Any]) -> bool:
    """`repo` fits `myorg/api` as `{repo: "myorg/api"}` and as `{owner: "myorg", repo: "api"}`.

    Names of things are compared without case, as the servers do. An answer to a question that
    leaves the argument out may be about anything.
    """
    value = arguments.get(name)
    values = value if isinstance(value, list) else [value]
    return any(_means(each, wanted, name, arguments) for each in values) or not values


def _means(value: object, wanted: str, name: str, arguments: Mapping[str, Any]) -> bool:
    if value is None or isinstance(value, dict | list):
        return True  # whatever it is, it is not named by a text
    said, meant = _text(value), _text(wanted)
    if said == meant:
        return True
    whole, part = (said, meant) if len(said) > len(meant) else (meant, said)
    if not whole.endswith("/" + part):
        return False
    if whole is said:
        return True  # the owner is not asked for
    owner = whole[: -len(part) - 1]
    others = {_text(other) for key, other in arguments.items() if key != name}
    return owner in others or not _names_owner(arguments)


def _names_owner(arguments: Mapping[str, Any]) -> bool:
    return any(word in arguments for word in ("owner", "org", "organization", "namespace"))


def _text(value: object) -> str:
    """The text of a value without what servers do not tell apart."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text.strip().casefold().removesuffix("/").removesuffix(".git")
