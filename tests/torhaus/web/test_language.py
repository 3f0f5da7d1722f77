import pytest

from torhaus.web.language import chosen, preferred


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
    assert preferred(asked) == language


def test_a_choice_stands_above_the_browser_and_an_unknown_one_does_not() -> None:
    assert chosen({"torhaus-language": "en"}, "de") == "en"
    assert chosen({"torhaus-language": "de"}, "en") == "de"
    assert chosen({"torhaus-language": "../x"}, "de") == "de"
