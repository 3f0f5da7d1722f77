"""What the file points to changes, and the file does not."""

import asyncio

from torhaus.config.load import load
from torhaus.watch.reload import Reload


def test_a_secret_that_others_have_changed_is_read_anew(tmp_path):
    path = tmp_path / "torhaus.yml"
    path.write_text("server: {port: 8080}\n")
    answers = [False, True]
    swapped = []

    def stale():
        if not answers:
            raise OSError
        return answers.pop(0)

    async def play():
        loaded = load(path, {})
        reload = Reload(path, loaded, lambda: load(path, {}), swapped.append, stale=stale)
        running = asyncio.create_task(reload.run())
        await reload.look()
        assert swapped == []
        await reload.look()
        for _ in range(6000):
            if swapped:
                break
            await asyncio.sleep(0.01)
        await reload.look()  # nobody answers any more, which ends nothing
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())
    assert len(swapped) == 1
