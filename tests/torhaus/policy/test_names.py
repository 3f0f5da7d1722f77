import time

import pytest

from torhaus.policy.names import crowded, folded, normal, shown, words


@pytest.mark.parametrize("name", ["list_issues", "listIssues", "LIST-ISSUES", "ListIssues"])
def test_spellings_of_one_tool_are_one(name: str) -> None:
    assert normal(name) == "listissues"


def test_a_letter_that_folds_into_ascii_is_not_taken_for_it() -> None:
    assert normal("get_tas\N{KELVIN SIGN}") != normal("get_task")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("getURLContents2", ("get", "url", "contents", "2")),
        ("issue_read", ("issue", "read")),
        ("get-tiny-image", ("get", "tiny", "image")),
        ("admin.users/list", ("admin", "users", "list")),
        ("", ()),
        ("list issues", ()),
        ("get_é", ()),
        ("get_issue\n", ()),
        ("a" * 129, ()),
    ],
)
def test_a_proper_name_has_words(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


def test_a_hostile_name_is_short_and_printable_in_a_sentence() -> None:
    assert shown("x\n`\x1b[31m" + "y" * 1000) == "`x???[31m" + "y" * 72 + "…`"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("get_it", "`get_it`"),
        ("a" * 80, "`" + "a" * 80 + "`"),
        ("a" * 81, "`" + "a" * 80 + "…`"),
        ("a" * 82, "`" + "a" * 80 + "…`"),
        ("a`b", "`a?b`"),
        ("\n" + "a" * 79, "`?" + "a" * 79 + "`"),
        ("\n" + "a" * 80, "`?" + "a" * 79 + "…`"),
    ],
)
def test_a_name_is_shown_whole_where_it_fits(name: str, said: str) -> None:
    assert shown(name) == said


@pytest.mark.parametrize("name", ["REPO", "re\0po", "repo\0", "\uff32epo"])
def test_what_readers_may_take_for_a_name_folds_to_it(name: str) -> None:
    assert folded(name) == "repo"


@pytest.mark.parametrize("name", ["re_po", "repo ", "r\u0435po", "repo2"])
def test_what_is_another_name_stays_one(name: str) -> None:
    assert folded(name) != "repo"


@pytest.mark.parametrize(
    "name",
    [
        "a" + "\u0300\u0316" * 100_000,
        "\0".join("a" + "\u0300\u0316" * 100_000),
        "\u00e9" + "\u0316" * 100 + "\u0300" * 100,
    ],
)
def test_a_name_of_many_marks_is_folded_in_no_time(name: str) -> None:
    began = time.process_time()

    found = folded(name)

    assert found.isprintable()
    assert time.process_time() - began < 0.5


def test_many_marks_in_a_row_are_seen() -> None:
    assert crowded("e" + "\u0301" * 31)
    assert not crowded("e\u0301" * 31)


@pytest.mark.parametrize("length", [1, 63, 64, 65, 127, 128, 129, 5000])
def test_names_of_any_length_are_compared_alike(length: int) -> None:
    assert folded("O" * length) == "o" * length
    assert folded("\0" + "O" * length) == "o" * length
    assert normal("A_-"[:2] * length) == "a" * length
    assert normal("\N{KELVIN SIGN}" * length) == "\N{KELVIN SIGN}" * length
