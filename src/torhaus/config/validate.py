"""From the tree to the schema's objects, and from pydantic's errors to sentences with lines."""

from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from torhaus.config.access import Blocks
from torhaus.config.lent import is_shipped
from torhaus.config.problems import FaultError
from torhaus.config.schema import File
from torhaus.config.shape import Shape
from torhaus.config.tree import Node, Part, Path, Source, meant, printable, spelled

_KINDS = {
    "string_type": ("this must be text", "write text"),
    "string_sub_type": ("this must be text", "write text"),
    "model_type": ("this must be a block of keys", "write `key: value` lines below it"),
    "dict_type": ("this must be a block of keys", "write `key: value` lines below it"),
    "model_attributes_type": ("this must be a block of keys", "write `key: value` lines below it"),
    "bool_type": ("this must be true or false", "write true or false"),
    "bool_parsing": ("this must be true or false", "write true or false"),
    "tuple_type": ("this must be a list", "write `- item` lines below it, or [item, item]"),
    "too_short": ("the list is empty", "write at least one item"),
}


def validate(source: Source) -> File | None:
    """The file as objects, or None with the reasons in `source.problems`."""
    if not isinstance(source.root.value, dict):
        source.error(
            (), "the file must be a block of keys", "start with `server:` or `mcpServers:`"
        )
        return None
    strange = _strangers(source)
    for key in strange:
        _unknown(source, (key,), (key,))
    plain = {key: node.plain() for key, node in source.root.value.items() if key not in strange}
    try:
        file = File.model_validate(plain)
    except ValidationError as errors:
        for error in errors.errors(include_url=False, include_input=False):
            _explain(source, error)
        _empties(source)
        return None
    _empties(source)
    return None if strange else file


def _empties(source: Source) -> None:
    """A key without its value: what was to stand there is not known, least of all a limit.

    Where the schema has no default but nothing, it would be taken for a key that is not there.
    """
    told = {problem.path for problem in source.problems}
    for path, node in source.root.walk():
        if node.value is None and path and not node.broken and spelled(path) not in told:
            source.error(path, "the value is empty", "write one, or remove the key")


def _strangers(source: Source) -> list[str]:
    """Keys of the whole file that are neither the schema's nor a server's."""
    root = source.root.value if isinstance(source.root.value, dict) else {}
    known = {*File.model_fields, *_servers(source)}
    spelt = {name.casefold() for name in _servers(source)}
    # A block of a server that is yet to be added holds nothing open; `check` says that it waits.
    waits = {key for key in root if is_shipped(key) and key.casefold() not in spelt}
    return [key for key in root if key not in known | waits]


def _servers(source: Source) -> list[str]:
    servers = source.root.child("mcpServers")
    return [*servers.value] if servers is not None and isinstance(servers.value, dict) else []


def _explain(source: Source, error: ErrorDetails) -> None:
    where = tuple(part for part in error["loc"] if part != "[key]")
    path = _written(source, where)
    if any(node.broken for node in source.nodes(path)):
        return
    kind = error["type"]
    node = _at(source, path)
    if kind == "too_short" and node is not None and node.value:
        return  # its items have mistakes of their own
    if kind == "extra_forbidden":
        _unknown(source, path, where)
    elif kind == "missing":
        source.error(path, f"{path[-1]} is missing", f"add `{path[-1]}: ...`")
    elif kind == "union_tag_not_found":
        source.error((*path, "type"), "type is missing", "add `type: oidc`, saml or ldap")
    elif kind == "union_tag_invalid":
        _choice(source, (*path, "type"), str(error.get("ctx", {}).get("expected_tags", "")))
    elif kind == "literal_error":
        _choice(source, path, str(error.get("ctx", {}).get("expected", "")))
    elif isinstance(fault := error.get("ctx", {}).get("error"), FaultError):
        if not _half_read(node):
            source.error(path, fault.message, fault.fix)
    else:
        message, fix = _KINDS.get(kind, (error["msg"], "correct the value"))
        source.error(path, message, _quoting(source, path, fix))


def _half_read(node: Node | None) -> bool:
    """Whether a value of the block could not be read, which was said: it may be what is missing."""
    inside = None if node is None else node.value
    return isinstance(inside, dict) and any(each.broken for each in inside.values())


def _quoting(source: Source, path: Path, fix: str) -> str:
    node = _at(source, path)
    if node is not None and node.value is None:
        return "the value is empty: write one, or remove the key"
    if node is not None and fix == "write text" and isinstance(node.value, bool | int | float):
        return "put the value in quotes"  # not repeated here: it may be a secret
    return fix


def _at(source: Source, path: Path) -> Node | None:
    found = source.nodes(path)
    return found[-1] if len(found) == len(path) + 1 else None


def _choice(source: Source, path: Path, expected: str) -> None:
    choices = expected.replace("'", "").replace(" or ", ", ").split(", ")
    node = _at(source, path)
    close = None
    if node is not None and isinstance(node.value, str) and not node.outside:
        close = meant(node.value, choices)
    fix = f"did you mean {close}?" if close else f"use {' or '.join(choices)}"
    source.error(path, f"this must be {' or '.join(choices)}", fix)


def _written(source: Source, where: Path) -> Path:
    """A path into the schema as the file has it: short forms leave out an index or a key."""
    path: Path = ()
    node: Node | None = source.root
    for part in where:
        value = None if node is None else node.value
        shortened = isinstance(value, list) != isinstance(part, int)
        if node is not None and shortened and part != where[-1]:
            continue
        if path and isinstance(path[-1], int) and _kind(node) == part:
            continue  # the schema's word for which of several shapes this is
        path = (*path, part)
        node = None if node is None else node.child(part)
    return path


def _kind(node: Node | None) -> object:
    """What an item of a list says it is."""
    said = None if node is None else node.child("type")
    return None if said is None else said.value


def _unknown(source: Source, path: Path, where: Path) -> None:
    """`where`: the path into the schema."""
    key = str(path[-1])
    shape = _shape_at(where[:-1])
    if shape is None:
        source.error(path, "this key is unknown", "remove it")
        return
    later = shape.later.get(key)
    if later is not None:
        source.error(
            path,
            f"not supported by this version yet ({later})",
            "remove it: a rule is never read and then ignored",
        )
        return
    close = meant(key, [*shape.model_fields])
    if close is None and len(path) == 1:
        close = meant(key, _servers(source))
    known = ", ".join(shape.model_fields)
    fix = f"did you mean {close}?" if close else f"remove it; known here: {known}"
    source.error(path, f"unknown key {printable(key)!r}", fix)


def _shape_at(path: Path) -> type[Shape] | None:
    """The schema's class for the block at a path."""
    annotation: object = File
    for part in path:
        picked = _picked(annotation, part)
        if picked is not None:
            annotation = picked
            continue
        annotation = _bare(annotation)
        if isinstance(annotation, type) and issubclass(annotation, Shape):
            field = annotation.model_fields.get(str(part))
            annotation = _further(annotation) if field is None else field.annotation
        else:
            # A list's items or a dict's values.
            inside = [arg for arg in get_args(annotation) if arg is not Ellipsis]
            annotation = inside[-1] if inside else None
    found = _bare(annotation)
    return found if isinstance(found, type) and issubclass(found, Shape) else None


def _picked(annotation: object, part: Part) -> type[Shape] | None:
    """Which of several shapes the schema's word for one of them means."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (UnionType, Union):
        return None
    for each in get_args(annotation):
        if isinstance(each, type) and issubclass(each, Shape):
            said = each.model_fields.get("type")
            if said is not None and part in get_args(said.annotation):
                return each
    return None


def _further(shape: type[Shape]) -> object:
    """What keys hold that are names: of servers, of tools."""
    if shape is File:
        return Blocks
    inside = get_args(shape.__annotations__.get("__pydantic_extra__"))
    return inside[-1] if inside else None


def _bare(annotation: object) -> object:
    """Without `| None` and without what is annotated."""
    if get_origin(annotation) in (UnionType, Union):
        return _bare(next(arg for arg in get_args(annotation) if arg is not NoneType))
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation
