"""`torhaus migrate`, and a start without a usable database."""

from pathlib import Path

from tests.torhaus.cli.terminal import configured, torhaus


def test_it_says_what_is_missing_then_does_it_once(tmp_path: Path) -> None:
    configured(tmp_path)

    missing = torhaus("migrate", "--check", at=tmp_path)
    assert not (tmp_path / "data").exists()
    done = torhaus("migrate", at=tmp_path)
    again = torhaus("migrate", "--json", at=tmp_path)
    checked = torhaus("migrate", "--check", at=tmp_path)

    assert missing.code == 1
    assert missing.out.startswith("Missing:\n  0001: Requests for approval")
    assert done.code == 0
    assert done.out == missing.out.replace("Missing:", "Done:")
    assert again.json() == {"steps": [], "done": True}
    assert (checked.code, checked.out) == (0, "The state database is up to date.\n")


def test_a_database_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "data" / "state.db").mkdir(parents=True)

    for words in (("migrate",), ("serve", "--port", "0")):
        said = torhaus(*words, at=tmp_path)
        assert said.code == 1
        assert "the state database data/state.db cannot be opened: Is a directory" in said.err
        assert "Traceback" not in said.err


def test_a_server_that_is_not_there_is_a_sentence_without_the_password(tmp_path: Path) -> None:
    configured(tmp_path, "storage: {state: 'postgresql://me:${PASSWORD}@127.0.0.1:1/x'}\n")

    said = torhaus("migrate", at=tmp_path, env={"PASSWORD": "hunter2"})

    assert said.code == 1
    assert "the state database cannot answer" in said.err
    assert "hunter2" not in said.err
