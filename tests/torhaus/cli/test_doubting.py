"""What a configuration means for people, keys and grants of the database."""

import asyncio
from pathlib import Path

from tests.torhaus.cli.terminal import Said, configured, torhaus
from tests.torhaus.store.state.people import credential
from torhaus.cli.asking import database_of
from torhaus.cli.doubting import warnings
from torhaus.config.load import load_text
from torhaus.model.grant import Grant, Granted
from torhaus.model.person import Membership, Person, Team
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

NOW = 1_790_000_000.0
TEXT = """
mcpServers: {github: {command: cat}}
roles: {reader: {permissions: ["github:read"]}, lead: {permissions: ["github:*"]}}
users: [{email: alice@example.com, role: reader, api_keys: [alice-key-0a5c5b1e9d8f4a47]}]
policies:
  - {name: Of leads, applies_to: [{role: lead}], action: require_approval, approvers: [reader]}
  - {name: Of nobody, applies_to: [{user: alice@example.com}, {role: lead}], action: log_only}
"""


async def filled(home: Path) -> None:
    database = Database(None, home)
    await database.open()
    async with StateOffice(database).write() as desk:
        await desk.persons.put(Person(email="erin@example.com", roles=("gone",)))
        await desk.persons.put(Person(email="finn@example.com"))
        await desk.teams.put(Team(name="core", roles=("lead",)))
        await desk.teams.join(Membership("core", "finn@example.com", "database"))
        for name, scopes in (
            ("good", ("github:read", "torhaus:people:admin", "*")),
            ("dead", ("jira:read",)),
        ):
            await desk.credentials.add(credential(name, scopes=scopes, expires=None), "")
        grant = Grant(id="g1", user="erin@example.com", role="gone", begins=NOW, ends=NOW + 60)
        await desk.access.add_grant(Granted(grant=grant, granted_by="dana", created=NOW))
    await database.close()


def test_the_file_is_doubted_with_the_people_of_the_database(tmp_path: Path) -> None:
    loaded = load_text(TEXT, "torhaus.yml", {"PATH": "/bin:/usr/bin"}, tmp_path)
    assert sum("applies to nobody" in each.message for each in loaded.warnings) == 2
    asyncio.run(filled(tmp_path))

    found = warnings(loaded, database_of(loaded.settings, "", "", NOW))

    met = [each.path for each in found if "applies to nobody" in each.message]
    assert met == ["policies[1].applies_to"]
    told = {each.path: each.message for each in found if each.file == "database"}
    assert told["people"] == "erin@example.com has the role gone, which the file does not have"
    assert "g1 gives erin@example.com the role gone" in told["grants"]
    assert "is held to jira:read, which opens nothing here" in told["keys"]
    assert len([each for each in found if each.file == "database"]) == 3


def checked(at: Path, *more: str) -> Said:
    configured(at, TEXT)
    return torhaus("check", "--json", *more, at=at)


def test_check_looks_at_the_database_unless_it_is_told_not_to(tmp_path: Path) -> None:
    asyncio.run(filled(tmp_path / "data"))

    both, file = checked(tmp_path), checked(tmp_path, "--file-only")

    assert (both.code, file.code) == (0, 0)
    assert any(each["file"] == "database" for each in both.json()["warnings"])
    assert not any(each["file"] == "database" for each in file.json()["warnings"])


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    assert checked(tmp_path).code == 0
    assert not (tmp_path / "data" / "state.db").exists()
