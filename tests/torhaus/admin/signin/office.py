"""A hall whose door knows the acts of signing in."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.torhaus.admin.hall import Hall, hall
from tests.torhaus.cast import run
from torhaus.admin.perform import Admin
from torhaus.admin.signin.works import SIGNIN_WORKS


def play(home: Path, story: Callable[[Hall], Awaitable[None]]) -> None:
    async def played() -> None:
        async with hall(home) as made:
            made.admin = Admin(made.means, made.happened, SIGNIN_WORKS)
            await story(made)

    run(played())
