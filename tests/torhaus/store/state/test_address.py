"""Where the state database is."""

from pathlib import Path

import pytest

from torhaus.model.ports import StateError
from torhaus.store.state.address import file, postgres


def test_a_url_is_read_and_its_driver_is_ours() -> None:
    found = postgres("postgresql://torhaus:secret@db.example.com:5433/state?sslmode=require")

    assert found.url.drivername == "postgresql+asyncpg"
    assert (found.url.host, found.url.port, found.url.database) == ("db.example.com", 5433, "state")
    assert found.more == {"ssl": "require"}
    assert not found.url.query


def test_a_file_is_one() -> None:
    assert file(Path("data/state.db")).url.database == "data/state.db"


@pytest.mark.parametrize(
    "url", ["mysql://root@localhost/state", "postgres", "postgresql+psycopg://x"]
)
def test_only_urls_of_postgresql_are_taken(url: str) -> None:
    with pytest.raises(StateError, match=r"storage\.state"):
        postgres(url)


OPTIONS = {
    "sslmode=sometimes": "sslmode is disable",
    "sslmode=verify-full&sslrootcert=/nowhere.pem": "the file of sslrootcert",
    "passfile=/etc/passwd": "not known: passfile",
}


@pytest.mark.parametrize(("option", "sentence"), OPTIONS.items())
def test_other_options_are_refused(option: str, sentence: str) -> None:
    with pytest.raises(StateError, match=sentence):
        postgres(f"postgresql://u@127.0.0.1/x?{option}")
