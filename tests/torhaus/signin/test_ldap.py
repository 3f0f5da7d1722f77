"""Sign-in with a directory: what people are told, and what a slow one costs the others."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.torhaus.signin.slapd import GROUPS, PEOPLE, SEARCH, WORD, Slapd
from torhaus.model.providers import LdapProvider, Terms
from torhaus.model.secret import Secret
from torhaus.model.signin import Identity, Rechecking, SignInError
from torhaus.signin.ldap import WRONG, LdapSignIn


def provider(slapd: Slapd, **more: Any) -> LdapProvider:
    said = {
        "name": "corp",
        "label": "Corp",
        "terms": Terms(),
        "host": "localhost",
        "port": slapd.plain,
        "tls": False,
        "ca_file": slapd.ca_file,
        "base": PEOPLE,
        "bind_dn": SEARCH,
        "bind_password": Secret(WORD),
        "groups_base": GROUPS,
    }
    return LdapProvider(**{**said, **more})


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_a_person_signs_in(directory: Slapd) -> None:
    async def story() -> None:
        asked = LdapSignIn(provider(directory))
        found = await asked.ask("Alice ", "alice-word", 0.0)
        assert found == Identity(
            provider="corp",
            issuer="ldap:corp",
            subject=found.subject,
            email="alice@example.test",
            name="Alice",
            groups=(f"cn=developers,{GROUPS}", "developers"),
            proved=0.0,
        )
        assert isinstance(asked, Rechecking)
        assert await asked.still(found.subject) == found.groups

    run(story)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("alice", "wrong"),
        ("nobody", "alice-word"),
        ("alice", ""),
        ("a" * 300, "x"),
        ("a", "x" * 2000),
    ],
)
def test_an_unknown_name_is_told_what_a_wrong_password_is(
    directory: Slapd, user: str, password: str
) -> None:
    async def story() -> None:
        with pytest.raises(SignInError) as error:
            await LdapSignIn(provider(directory)).ask(user, password, 0.0)
        assert str(error.value) == WRONG
        assert "alice" not in error.value.detail

    run(story)


def test_a_directory_that_is_down_is_nobodys_fault(directory: Slapd) -> None:
    async def story() -> None:
        asked = LdapSignIn(provider(directory, port=9))
        for asking in (asked.ask("alice", "alice-word", 0.0), asked.still("x")):
            with pytest.raises(SignInError, match="Corp cannot be asked right now") as error:
                await asking
            assert "alice-word" not in error.value.detail

    run(story)


def test_a_directory_that_hangs_takes_few_threads(directory: Slapd) -> None:
    async def story() -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(50)
            port = silent.getsockname()[1]
            asked = LdapSignIn(provider(directory, host="127.0.0.1", port=port))
            tasks = [asyncio.create_task(asked.ask("alice", "x", 0.0)) for _ in range(12)]
            done, _ = await asyncio.wait(tasks, timeout=120)
            assert len(done) == 12
            details = sorted(str(task.exception().detail) for task in done)  # type: ignore[union-attr]
            assert "too many are asking" in details

    run(story)
