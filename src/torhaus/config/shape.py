"""What every block of the file has in common."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler


class Shape(BaseModel):
    """A block of keys. Unknown keys are errors; `later`: key -> what it is, for later versions.

    A key that is read and not enforced would be a promise broken in silence, so keys of later
    versions are refused too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    later: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """With the text below each key as its description.

        pydantic's `use_attribute_docstrings` would read the sources whenever this is imported: a
        fifth of a second for every command, for a schema that one of them prints.
        """
        found = handler(core_schema)
        keys = handler.resolve_ref_schema(found)["properties"]
        for each in (each for each in reversed(cls.__mro__) if issubclass(each, Shape)):
            for name, text in _texts(each.__module__, each.__name__):
                if name in cls.model_fields:
                    keys[cls.model_fields[name].alias or name]["description"] = text
        return found


def _texts(module: str, name: str) -> Iterator[tuple[str, str]]:
    """Name and text of each attribute of a class that has a text below it."""
    for pair in pairwise(_bodies(module).get(name, ())):
        match pair:
            case (
                ast.AnnAssign(target=ast.Name(id=attribute)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield attribute, inspect.cleandoc(text)
            case _:
                pass


@cache
def _bodies(module: str) -> Mapping[str, list[ast.stmt]]:
    """Classes of a module -> their statements."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {each.name: each.body for each in tree.body if isinstance(each, ast.ClassDef)}
