import pytest

from torhaus.web.approval_words import ENGLISH, GERMAN, words


def test_both_languages_say_the_same_things() -> None:
    assert ENGLISH.keys() == GERMAN.keys()
    assert all(GERMAN.values())


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr,de;q=0.5", "de"),
        ("fr", "en"),
        ("de;q=0", "en"),
        ("de;q=x", "en"),
        ("*", "en"),
        ("DE", "de"),
        (";;,,=", "en"),
    ],
)
def test_german_is_for_those_who_prefer_it(asked: str, language: str) -> None:
    assert words(asked)["lang"] == language
