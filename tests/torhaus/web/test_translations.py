import re

import pytest
from babel.messages.pofile import read_po
from scripts.words import texts

from torhaus.model.texts import filled
from torhaus.web.translations import LOCALE, LONGEST, marked, speaker, translations

PLACE = re.compile(r"%\((\w+)\)s|\{([a-z]+)\}")


def test_german_is_complete_and_nothing_in_it_is_left_over() -> None:
    with (LOCALE / "de.po").open("rb") as file:
        german = read_po(file, locale="de")

    assert {m.id for m in german if m.id} == {m.id for m in texts() if m.id}
    for message in german:
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), message.id
        assert not message.fuzzy, message.id


def test_translations_have_the_places_of_their_texts() -> None:
    with (LOCALE / "de.po").open("rb") as file:
        for message in read_po(file, locale="de"):
            if not message.id or isinstance(message.id, tuple):
                continue
            assert set(PLACE.findall(message.id)) == set(PLACE.findall(str(message.string)))


def test_english_is_the_source_and_german_is_found_without_a_build_step() -> None:
    assert translations("en").gettext("Sign out") == marked("Sign out")
    assert translations("de").gettext("Sign out") == "Abmelden"
    assert translations("de").gettext("never said") == "never said"


@pytest.mark.parametrize("server", ["github", "{server}", "a: b vouches", "x\ny", "<b>"])
def test_a_sentence_with_names_in_it_is_translated_around_them(server: str) -> None:
    told = filled(marked("you may not use {server}"), server=server)

    assert told == f"you may not use {server}"
    assert speaker("de")(told) == f"du darfst {server} nicht benutzen"
    assert speaker("en")(told) == told


def test_the_sentence_with_most_words_of_its_own_is_meant() -> None:
    text = "nobody connects an account to github: okta vouches for you"

    assert speaker("de")(text) == "mit github verbindet niemand ein Konto: okta bürgt für dich"


def test_a_sentence_within_a_sentence_is_translated_too() -> None:
    inner = "the token endpoint answers HTTP 500"

    told = speaker("de")(f"no token for it: {inner}")

    assert told == "kein Token dafür: der Token-Endpunkt antwortet mit HTTP 500"
    named = "signing in to it is not possible: Sign out has no page for it"
    assert speaker("de")(named) == "dort anmelden geht nicht: Sign out hat keine Seite dafür"


def test_what_is_no_sentence_of_ours_stays_as_it_is() -> None:
    for text in ("never said", "", "you may not", "you may not use " + "x" * LONGEST):
        assert speaker("de")(text) == text
