import msgspec
import pytest

from torhaus.policy.known.spec import (
    ACTIONS,
    SCOPES,
    Dispatch,
    Extra,
    Method,
    ServerSpec,
    Target,
    ToolSpec,
)
from torhaus.policy.permission import ACTIONS as PERMITTED


@pytest.mark.parametrize("word", [Dispatch, Extra, Method, ServerSpec, Target, ToolSpec])
def test_no_word_of_a_file_is_passed_over(word: type[msgspec.Struct]) -> None:
    assert word.__struct_config__.forbid_unknown_fields


def test_no_scope_is_named_twice() -> None:
    assert len(set(SCOPES)) == len(SCOPES)


def test_tables_and_permissions_speak_of_the_same_actions() -> None:
    assert PERMITTED == ACTIONS
