import asyncio
import statistics
import time

import pytest

from tests.torhaus.cast import run
from torhaus.signin.local import Argon2


def quick() -> Argon2:
    return Argon2(memory=8 * 1024, passes=1, lanes=1)


def test_a_password_is_recognised_and_another_is_not() -> None:
    async def story() -> None:
        hasher = quick()
        kept = await hasher.hash("correct horse")

        assert kept.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
        assert await hasher.verify(kept, "correct horse")
        assert not await hasher.verify(kept, "correct horsf")
        assert not await hasher.verify(kept, "")
        assert not await hasher.verify("no hash at all", "correct horse")

    run(story())


def test_nobody_has_no_password_not_even_the_dummys() -> None:
    async def story() -> None:
        hasher = quick()

        assert not await hasher.verify(None, "nobody has this password")

    run(story())


def test_a_flood_of_characters_is_refused_before_any_work() -> None:
    async def story() -> None:
        hasher = quick()

        assert not await hasher.verify(None, "x" * 1025)
        with pytest.raises(ValueError, match="too long"):
            await hasher.hash("x" * 1025)

    run(story())


def test_an_unknown_account_takes_as_long_as_a_known_one() -> None:
    """With the parameters that are used, by medians: another process may take a turn."""

    async def story() -> None:
        hasher = Argon2()
        kept = await hasher.hash("correct horse")
        await hasher.verify(None, "warm")
        known: list[float] = []
        unknown: list[float] = []
        for _ in range(9):
            for hash, times in ((kept, known), (None, unknown)):
                began = time.process_time()
                await hasher.verify(hash, "wrong")
                times.append(time.process_time() - began)

        ratio = statistics.median(known) / statistics.median(unknown)

        assert 0.7 < ratio < 1.43, (known, unknown)

    asyncio.run(story())
