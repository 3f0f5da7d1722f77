from tests.torhaus.config.deciding import at
from torhaus.config import endings
from torhaus.config.people import People, Person, people
from torhaus.config.source import read
from torhaus.config.validate import validate
from torhaus.config.words import Words

TEXT = """\
roles: {dev: {}}
users:
  - {email: old@x.de, role: dev, expires: 2025-06-30}
  - {email: new@x.de, role: dev, expires: 2025-12-31}
temporary_access:
  - {user: new@x.de, role: dev, valid_until: 2025-06-30}
  - {user: new@x.de, role: dev, valid_from: 2025-08-01, valid_until: 2025-08-31}
  - {user: new@x.de, role: dev, valid_from: 2026-01-01, valid_until: 2026-06-30}
"""


def said(now: str) -> list[tuple[str, str]]:
    source = read(TEXT, "t.yml")
    file = validate(source)
    assert file is not None
    words = Words(source, file, {})
    endings.doubt(words, file, people(words, file), at(now))
    return [(each.path, each.message) for each in source.warnings]


def test_access_that_is_over_is_doubted_and_such_that_never_begins() -> None:
    assert said("2025-07-01T00:00:00+00:00") == [
        ("users[0].expires", "this user's access ended at 2025-07-01 00:00 UTC"),
        ("temporary_access[0].valid_until", "this ended at 2025-07-01 00:00 UTC"),
        (
            "temporary_access[2].valid_until",
            "this never begins: the user's own access ends at 2026-01-01 00:00 UTC",
        ),
    ]


def test_access_is_not_doubted_a_second_before_its_end() -> None:
    assert [path for path, _ in said("2025-06-30T23:59:59+00:00")] == [
        "temporary_access[2].valid_until"
    ]


def test_what_failed_to_be_read_is_not_doubted_too() -> None:
    source = read(TEXT, "t.yml")
    file = validate(source)
    assert file is not None
    nobody = People(persons={"old@x.de": Person(email="old@x.de")}, grants=(), keys={}, groups={})

    endings.doubt(Words(source, file, {}), file, nobody, 2e9)

    assert source.warnings == []
