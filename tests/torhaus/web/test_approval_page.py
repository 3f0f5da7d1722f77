import pytest

from tests.torhaus.admin.hall import wanted
from tests.torhaus.cast import NOW
from torhaus.model.approval import Approval, State
from torhaus.web.approval_page import broken, decided, decision
from torhaus.web.approval_words import ENGLISH, GERMAN, Words

BOTH = pytest.mark.parametrize("words", [ENGLISH, GERMAN], ids=["en", "de"])


def approval(**changes: str) -> Approval:
    kept = wanted(**changes)
    return Approval(id="a", state=State.PENDING, wanted=kept, created=NOW, expires=NOW + 900)


@BOTH
def test_everything_from_outside_is_escaped(words: Words) -> None:
    evil = "<img src=x onerror=alert(1)>\"'"
    names = ("requester", "email", "server", "tool", "arguments", "policy", "reason")

    page = decision(approval(**dict.fromkeys(names, evil)), words, form='"><b>', said=evil)

    assert "<img" not in page
    assert "<b>" not in page
    assert f'<html lang="{words["lang"]}">' in page


def test_what_would_hide_or_turn_text_around_is_shown() -> None:
    page = decision(approval(tool="merge\u202egnp.exe\x00", reason="a\u200bb"), ENGLISH, form=None)

    assert "merge\\u202egnp.exe\\u0000" in page
    assert "a\\u200bb" in page


def test_arguments_are_shown_line_by_line_in_any_script() -> None:
    page = decision(approval(arguments='{"title":"grün","n":[1]}'), ENGLISH, form=None)

    assert "&quot;title&quot;: &quot;grün&quot;,\n" in page
    assert "not json" in decision(approval(arguments="not json"), ENGLISH, form=None)


@BOTH
@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word(words: Words, state: State) -> None:
    kept = approval()
    shown = Approval(id="a", state=state, wanted=kept.wanted, created=NOW, expires=NOW + 1)

    assert words[state.value] in decision(shown, words, form=None)


@BOTH
def test_pages_run_nothing_and_load_nothing(words: Words) -> None:
    for page in (
        decision(approval(), words, form="x"),
        decided(State.APPROVED, words),
        decided(State.DENIED, words),
        broken(words),
        broken(words, "because <b>"),
    ):
        assert not any(word in page for word in ("<script", "http:", "https:", "<link", "<b>"))


def test_the_key_is_typed_where_nobody_reads_along() -> None:
    page = decision(approval(), ENGLISH, form="x")

    assert 'name="key" type="password" autocomplete="off"' in page
    assert '<form method="post"' in page
