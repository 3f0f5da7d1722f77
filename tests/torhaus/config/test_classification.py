import pytest
from pydantic import TypeAdapter

from torhaus.config.classification import Classification, DataClasses

SHAPE, CLASSES = TypeAdapter(Classification), TypeAdapter(DataClasses)


def test_one_name_may_stand_for_a_list() -> None:
    found = CLASSES.validate_python({"sensitive": {"repos": "a/*", "tools": ["x", "y"]}})

    assert (found.sensitive.repos, found.sensitive.tools) == (("a/*",), ("x", "y"))


@pytest.mark.parametrize("name", ["get_me", "getMe", "get-me", "get_*", "a.b/c", "?", "x" * 128])
def test_tools_are_names_or_globs(name: str) -> None:
    assert name in SHAPE.validate_python({"tools": {name: {"action": "read"}}}).tools


@pytest.mark.parametrize("name", ["", "a b", "a\n", "x" * 129, "ünïcode", "[a]"])
def test_what_is_no_tools_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a tool's name"):
        SHAPE.validate_python({"tools": {name: {"action": "read"}}})


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 129])
def test_what_is_no_arguments_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an argument's name"):
        SHAPE.validate_python({"project_args": [name]})


def test_a_data_class_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        CLASSES.validate_python({"secret": {"repos": ["a/b"]}})
