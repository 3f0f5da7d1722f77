"""`torhaus cache`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.keeping import keeping, said, status
from tests.torhaus.cli.terminal import KEY, torhaus


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with keeping(tmp_path_factory.mktemp("kept")) as gate:
        yield gate


def test_kept_answers_are_listed_and_purged(kept: Gate) -> None:
    status(kept, "myorg/one")
    status(kept, "myorg/two")
    status(kept, "myorg/two")

    listed = said(kept, "cache", "list", "git")
    (two, one) = said(kept, "cache", "list", "git", "--tool", "git_status", "--json").json()
    purged = said(kept, "cache", "purge", "git", "git_status", "--where", "repo=myorg/one")
    rest = said(kept, "cache", "purge", "git", "--json")

    assert listed.code == 0
    assert "git.git_status" in listed.out
    assert '{"repo":"myorg/two"}' in listed.out
    assert (one["arguments"], two["arguments"]) == ('{"repo":"myorg/one"}', '{"repo":"myorg/two"}')
    assert (purged.code, purged.out) == (0, "git.git_status: 1 answer forgotten.\n")
    assert rest.json() == {"server": "git", "tool": None, "dropped": 1}
    assert said(kept, "cache", "list", "git").out == "Nothing is kept.\n"


def test_stats_tell_what_the_cache_did(kept: Gate) -> None:
    status(kept, "stats")
    status(kept, "stats")

    told = said(kept, "cache", "stats")
    found = said(kept, "cache", "stats", "--json").json()

    assert told.code == 0
    assert found["entries"] >= 1
    assert found["hits"] >= 1
    assert f"kept       {found['entries']} answers" in told.out
    assert "% of lookups)" in told.out


def test_who_does_not_administer_the_server_learns_nothing(kept: Gate) -> None:
    status(kept, "secret")

    for words in (("list", "git"), ("stats",), ("purge", "git"), ("list", "nowhere")):
        no = said(kept, "cache", *words, key=KEY)

        assert (no.code, no.out) == (1, ""), words
        assert "admin permission" in no.err


def test_a_server_that_is_not_there_is_a_no(kept: Gate) -> None:
    no = said(kept, "cache", "purge", "nowhere")

    assert no.code == 1
    assert "nowhere" in no.err


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["repo"], "--where is ARGUMENT=VALUE"),
        (["=x"], "--where is ARGUMENT=VALUE"),
        (["a=1", "a=2"], "--where names a twice"),
    ],
)
def test_wrong_use_is_exit_code_2(kept: Gate, where: list[str], message: str) -> None:
    words = [word for text in where for word in ("--where", text)]

    wrong = said(kept, "cache", "purge", "git", *words)

    assert wrong.code == 2
    assert message in wrong.err


def test_values_travel_as_they_are(kept: Gate) -> None:
    odd = "a b&c=d/ü?#%20"
    status(kept, odd)

    purged = said(kept, "cache", "purge", "git", "git_status", "--where", f"repo={odd}", "--json")

    assert purged.json()["dropped"] == 1


def test_without_a_key_it_says_what_to_do(kept: Gate) -> None:
    no = torhaus("cache", "stats", at=kept.home, env={"TORHAUS_URL": kept.url})

    assert no.code == 1
    assert "set TORHAUS_KEY" in no.err
