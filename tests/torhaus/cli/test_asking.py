"""What commands know of people: by the file, and by the database where there is one."""

import asyncio
import time
from pathlib import Path

import pytest

from torhaus.cli.asking import Judge, database_of, has_database
from torhaus.config.load import load_text
from torhaus.config.settings import Settings
from torhaus.gate.explain import Question
from torhaus.model.grant import Grant
from torhaus.model.person import Person
from torhaus.model.ports import StateError
from torhaus.model.secret import Secret
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.office import StateOffice

TEXT = """
mcpServers: {github: {url: "http://127.0.0.1:9/mcp"}}
roles: {reader: {permissions: ["github:read"]}, writer: {permissions: ["github:write"]}}
"""
ERIN = "erin@example.com"
WRITES = Question(user=ERIN, server="github", tool="create_issue")


async def hired(home: Path) -> None:
    database = Database(None, home)
    await database.open()
    async with StateOffice(database).write() as desk:
        await desk.persons.put(Person(email=ERIN, roles=("reader",)))
    await database.close()


def test_without_a_database_the_file_alone_counts(tmp_path: Path) -> None:
    loaded = load_text(TEXT, "torhaus.yml", {}, tmp_path)
    judge = Judge(loaded)

    assert not has_database(loaded.settings)
    assert judge.roles(ERIN, 0.0) is None
    assert judge.answer(WRITES, 0.0).code == "no_active_role"


def test_people_of_the_database_are_judged_and_roles_are_tried_on_them(tmp_path: Path) -> None:
    asyncio.run(hired(tmp_path))
    now = time.time()
    loaded = load_text(TEXT, "torhaus.yml", {}, tmp_path)
    assert has_database(loaded.settings)

    judge = Judge(loaded, database_of(loaded.settings, ERIN, "", now))

    assert judge.roles(ERIN, now) == ("reader",)
    assert judge.answer(WRITES, now).code == "no_grant"
    tried = Grant(id="x", user=ERIN, role="writer", begins=now - 1, ends=now + 1)
    assert judge.answer(WRITES, now, (tried,)).verdict == "allow"
    assert judge.answer(WRITES, now).verdict == "deny"


def test_one_that_does_not_answer_or_is_too_old_says_so(tmp_path: Path) -> None:
    url = Secret("postgresql://torhaus:very-secret@127.0.0.1:1/state")
    away = Settings(data_dir=tmp_path, state_url=url)
    assert has_database(away)
    with pytest.raises(StateError) as raised:
        database_of(away, ERIN, "", 0.0)
    assert "very-secret" not in str(raised.value)

    (tmp_path / NAME).touch()
    with pytest.raises(StateError, match="torhaus migrate"):
        database_of(Settings(data_dir=tmp_path), ERIN, "", 0.0)
