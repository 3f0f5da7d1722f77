import pytest

from torhaus.gate.aggregate.terms import KIN, asked, fold, near, stem, terms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("listIssues", ["list", "issu"]),
        ("list_issues", ["list", "issu"]),
        ("getURLContents2", ["get", "url", "content", "2"]),
        ("Repositories, created; running", ["repository", "creat", "run"]),
        ("Straße löschen", ["strass", "loeschen"]),
        ("o\u0308ffnen Café", ["oeffnen", "caf"]),
        ("搜索 issues", ["搜索", "issu"]),
        ("", []),
    ],
)
def test_names_and_texts_have_their_words_in_one_spelling(text: str, words: list[str]) -> None:
    assert terms(text) == words


def test_plain_text_is_not_changed() -> None:
    assert fold("abc") == "abc"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Which of the issues are open?", ["issu", "open"]),
        ("the the", ["the"]),
        ("issues, issue", ["issu"]),
        ("on GitHub", ["github"]),
        ("listIssues", ["list", "issu"]),
    ],
)
def test_a_question_is_what_it_says_of_the_matter(question: str, words: list[str]) -> None:
    assert asked(question, lambda word: word == "github") == words


def test_a_word_is_not_longer_than_counts() -> None:
    assert len(stem("x" * 1000)) == 40


def test_kindred_words_lead_to_the_usual_one_first() -> None:
    assert KIN["loeschen"]["delet"] > KIN["loeschen"]["remov"]
    assert all(word not in others for word, others in KIN.items())


@pytest.mark.parametrize(
    ("word", "other", "is_near"),
    [
        ("issue", "isue", True),
        ("issue", "issuse", True),
        ("issue", "isseu", True),
        ("issue", "isseus", False),
        ("issue", "i", False),
        ("issue", "abcde", False),
        ("issue", "issue", True),
    ],
)
def test_a_slip_of_the_finger_is_near(word: str, other: str, is_near: bool) -> None:
    assert near(word, other, 1) is is_near
