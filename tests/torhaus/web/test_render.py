import re
import shutil
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from torhaus.web.render import TEMPLATES, Manner, Pages

PAGES = Pages()
FORBIDDEN = {
    "inline style": r"\sstyle\s*=",
    "inline handler": r"\son[a-z]+\s*=",
    "script": r"<script",
    "unescaped": r"\|\s*safe|Markup|autoescape",
    "text of a variable taken for markup": r"\b_\(\s*(?![\"'\s])",
    "style element": r"<style",
    "other hosts": r"(?:src|href|action)=\"(?:https?:)?//",
}


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_keep_the_budgets_and_hold_nothing_forbidden(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]

    assert len(text.splitlines()) <= 250
    assert {name: re.findall(rule, text) for name, rule in FORBIDDEN.items()} == {
        name: [] for name in FORBIDDEN
    }


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_every_field_has_a_label_and_every_form_that_posts_a_token_or_no_rights(
    path: object,
) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    outside_labels = re.sub(r"<label\b.*?</label>", "", text, flags=re.DOTALL)

    for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", outside_labels):
        assert 'type="hidden"' in field or "aria-label" in field, field


def test_a_page_is_of_the_release_that_runs_whatever_becomes_of_its_files(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    pages = Pages(tmp_path / "templates")
    context = {"title": "Status", "text": ""}
    before = PAGES.html("message.html", Manner(), context)

    for path in (tmp_path / "templates").glob("*.html"):
        path.write_text("{{ of_the_next_release }}")

    assert pages.html("message.html", Manner(), context) == before


def test_texts_in_variables_are_escaped_and_translated() -> None:
    evil = "<script>alert(1)</script>"

    page = PAGES.html("message.html", Manner(language="de"), {"title": "Status", "text": evil})

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert PAGES.html("message.html", Manner(language="de"), {"title": "denied", "text": ""}).count(
        "abgelehnt"
    )


def test_a_forgotten_value_is_an_error_and_no_blank() -> None:
    with pytest.raises(UndefinedError):
        PAGES.html("message.html", Manner(), {"title": "x"})
