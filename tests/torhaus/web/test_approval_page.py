import pytest

from tests.torhaus.admin.hall import wanted
from tests.torhaus.cast import NOW
from torhaus.model.approval import Approval, State
from torhaus.web.approval_page import STATES, context
from torhaus.web.render import Manner, Pages
from torhaus.web.translations import translations

PAGES = Pages()
BOTH = pytest.mark.parametrize("language", ["en", "de"])


def decision(kept: Approval, language: str = "en", *, form: str | None, said: str = "") -> str:
    shown = context(kept, form=form, said=said)
    return PAGES.html("approval.html", Manner(language=language), shown)


def approval(**changes: str) -> Approval:
    kept = wanted(**changes)
    return Approval(id="a", state=State.PENDING, wanted=kept, created=NOW, expires=NOW + 900)


@BOTH
def test_everything_from_outside_is_escaped(language: str) -> None:
    evil = "<img src=x onerror=alert(1)>\"'"
    names = ("requester", "email", "server", "tool", "arguments", "policy", "reason")

    page = decision(approval(**dict.fromkeys(names, evil)), language, form='"><b>', said=evil)

    assert "<img" not in page
    assert "<b>" not in page
    assert f'<html lang="{language}"' in page


def test_what_would_hide_or_turn_text_around_is_shown() -> None:
    page = decision(approval(tool="merge\u202egnp.exe\x00", reason="a\u200bb"), form=None)

    assert "merge\\u202egnp.exe\\u0000" in page
    assert "a\\u200bb" in page


def test_arguments_are_shown_line_by_line_in_any_script() -> None:
    page = decision(approval(arguments='{"title":"grün","n":[1]}'), form=None)

    assert "&#34;title&#34;: &#34;grün&#34;,\n" in page
    assert "not json" in decision(approval(arguments="not json"), form=None)


@BOTH
@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word(language: str, state: State) -> None:
    kept = approval()
    shown = Approval(id="a", state=state, wanted=kept.wanted, created=NOW, expires=NOW + 1)
    word = translations(language).gettext(STATES[state][1])

    assert f">{word}<" in decision(shown, language, form=None)


@BOTH
def test_pages_run_nothing_and_load_nothing_from_elsewhere(language: str) -> None:
    page = decision(approval(), language, form="x", said="because <b>")

    assert not any(word in page for word in ("<script", "http:", "https:", "<b>"))


def test_the_key_is_typed_where_nobody_reads_along() -> None:
    page = decision(approval(), form="x")

    assert 'name="key" type="password" autocomplete="off"' in page
    assert '<form class="stack" method="post"' in page
