from pathlib import Path

import pytest

from tests.torhaus.admin.hall import BOB, DANA
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run


def test_an_administrator_gets_a_link_and_others_do_not(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        made = await at.post("reset-links", DANA, {"email": "a@example.org"})
        refused = await at.post("reset-links", BOB, {"email": "a@example.org"})
        stranger = await at.post("reset-links", None, {"email": "a@example.org"})

        assert made.json == {"url": "https://gw.example.org/reset/a@example.org-False"}
        assert refused.problem == (403, "not_allowed")
        assert stranger.status == 401

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "body", [{}, {"email": "x" * 300}, {"email": "a@b", "second_factor": 7}, {"email": "a", "x": 1}]
)
def test_a_wrong_body_makes_none(body: dict[str, object], tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        assert (await at.post("reset-links", DANA, body)).status == 422

    run(play(tmp_path, story))
