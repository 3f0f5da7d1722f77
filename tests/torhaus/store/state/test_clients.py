from typing import Any

import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import NOW
from torhaus.model.oauth import Client


def client(id: str = "dcr_1", **changes: Any) -> Client:
    made = Client(
        id=id,
        kind="registered",
        name="Cursor",
        redirect_uris=("http://localhost/callback", "https://app.example/cb"),
        method="client_secret_post",
        secret=b"s" * 32,
        created=NOW,
        ip="192.0.2.7",
    )
    return msgspec.structs.replace(made, **changes)


def test_a_client_comes_back_as_kept_also_after_a_restart(place: Place) -> None:
    public = client("dcr_2", method="none", secret=None)

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.clients.add(client())
            await desk.clients.add(public)
        async with place.office() as office, office.read() as desk:
            assert await desk.clients.get("dcr_1") == client()
            assert await desk.clients.get("dcr_2") == public
            assert await desk.clients.get("dcr_3") is None
            assert await desk.clients.count() == 2

    run(story())


def test_only_clients_that_were_never_used_are_forgotten(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for id, created in (("old", NOW), ("used", NOW), ("new", NOW + 10)):
                await desk.clients.add(client(id, created=created))
            await desk.clients.use("used", NOW + 5)

            assert await desk.clients.forget_unused(NOW + 10) == 1

            assert await desk.clients.get("old") is None
            assert await desk.clients.get("used") == client("used", used=NOW + 5)
            assert await desk.clients.get("new") is not None

    run(story())


def test_the_oldest_that_was_never_used_makes_room(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for id, created in (("b", NOW + 1), ("a", NOW + 2), ("used", NOW)):
                await desk.clients.add(client(id, created=created))
            await desk.clients.use("used", NOW + 5)

            assert await desk.clients.forget_oldest()
            assert await desk.clients.get("b") is None
            assert await desk.clients.forget_oldest()
            assert not await desk.clients.forget_oldest()
            assert await desk.clients.count() == 1

    run(story())
