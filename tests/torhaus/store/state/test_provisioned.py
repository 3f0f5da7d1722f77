import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE
from torhaus.model.provisioning import GROUP, USER, Provisioned, Sought

ONE = Provisioned(
    id="u1",
    kind=USER,
    source="okta",
    external_id="00u",
    name="alice",
    email=ALICE,
    document="{}",
    created=1.0,
    changed=1.0,
)


def test_what_was_told_is_found_by_each_of_its_names(place: Place) -> None:
    async def story() -> None:
        other = msgspec.structs.replace(ONE, id="u2", name="bob", external_id=None, created=2.0)
        group = msgspec.structs.replace(ONE, id="g1", kind=GROUP, email=None, name="alice")
        async with place.office() as office, office.write() as desk:
            for each in (ONE, other, group):
                assert await desk.provisioned.add(each)
            every = Sought(source="okta", kind=USER)
            assert await desk.provisioned.some(every, 0, 9) == [ONE, other]
            assert await desk.provisioned.some(every, 1, 9) == [other]
            assert await desk.provisioned.some(every, 0, 1) == [ONE]
            assert await desk.provisioned.count(every) == 2
            for more in ({"name": "alice"}, {"external_id": "00u"}, {"id": "u1"}):
                sought = msgspec.structs.replace(every, **more)
                assert await desk.provisioned.some(sought, 0, 9) == [ONE]
            nobody = msgspec.structs.replace(every, email="x", name="alice")
            assert await desk.provisioned.count(nobody) == 0
            assert await desk.provisioned.get("okta", USER, "u1") == ONE
            assert await desk.provisioned.get("entra", USER, "u1") is None
            assert await desk.provisioned.get("okta", GROUP, "u1") is None

    run(story())


def test_a_change_counts_once_and_takes_nobodys_name(place: Place) -> None:
    async def story() -> None:
        other = msgspec.structs.replace(ONE, id="u2", name="bob")
        async with place.office() as office, office.write() as desk:
            assert await desk.provisioned.add(ONE)
            assert not await desk.provisioned.add(msgspec.structs.replace(ONE, id="u9"))
            assert await desk.provisioned.add(other)

            changed = msgspec.structs.replace(ONE, document='{"a":1}', changed=2.0)
            assert await desk.provisioned.change(changed, "{}")
            assert not await desk.provisioned.change(changed, "{}")
            taken = msgspec.structs.replace(changed, name="bob")
            assert not await desk.provisioned.change(taken, changed.document)

            assert await desk.provisioned.get("okta", USER, "u1") == changed
            assert await desk.provisioned.remove("u1")
            assert not await desk.provisioned.remove("u1")

    run(story())
