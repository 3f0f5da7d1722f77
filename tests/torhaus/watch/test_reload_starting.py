"""A file that changes while the gateway starts."""

import asyncio

from tests.torhaus.watch.test_reload import text
from torhaus.config.load import load
from torhaus.watch.reload import Reload


def test_a_change_between_the_first_reading_and_the_watching_is_put_in_force(tmp_path):
    """A gateway reads its file first and opens its databases then, which may take a while."""
    path = tmp_path / "torhaus.yml"
    path.write_text(text(8080, "one"))
    first, swapped = load(path, {}), asyncio.Queue()
    path.write_text(text(8080, "two", "three"))

    async def play():
        reload = Reload(path, first, lambda: load(path, {}), swapped.put_nowait)
        task = asyncio.create_task(reload.run())
        found = await asyncio.wait_for(swapped.get(), 60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert sorted(found.rules.servers) == ["three", "two"]

    asyncio.run(play())
