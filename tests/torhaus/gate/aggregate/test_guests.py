"""A caller in front of many servers."""

import json

import msgspec

from tests.torhaus.cast import ALICE, DANA, MALLORY, run
from tests.torhaus.gate.aggregate.crowd import Crowd
from torhaus.mcp.extensions import TASKS
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY
from torhaus.model.servers import Era
from torhaus.model.views import WHOLE, View


def test_he_stands_before_the_servers_he_may_use_and_that_are_here():
    async def story() -> None:
        crowd = Crowd()
        view = View(name="v", picks={"tea": WHOLE, "docs": WHOLE, "nobody": WHOLE})

        def there(guest):
            return [each.name for each in guest.servers(crowd.rules, crowd.clock())]

        assert there(crowd.guest(DANA)) == ["github", "docs", "tea"]
        assert there(crowd.guest(ALICE)) == ["github"]
        assert there(crowd.guest(MALLORY)) == []
        assert there(crowd.guest(DANA, view)) == ["docs", "tea"]
        assert there(crowd.guest(ALICE, view)) == []

    run(story())


def test_requests_in_his_name_say_what_his_client_can_do():
    async def story() -> None:
        meta = {
            CAPABILITIES_KEY: {"roots": {}},
            "io.modelcontextprotocol/clientInfo": {"name": "c"},
            "progressToken": 1,
        }
        guest = Crowd().guest(meta=meta)

        own = guest.own("id", "tools/list", {"cursor": "c"})

        assert own.id == b'"id"'
        assert (
            json.loads(own.payload)
            == own.params
            == {
                "cursor": "c",
                "_meta": {
                    VERSION_KEY: MODERN,
                    CAPABILITIES_KEY: {"roots": {}},
                    "io.modelcontextprotocol/clientInfo": {"name": "c"},
                },
            }
        )
        able = {"roots": {}, "extensions": {TASKS: {}, "x.y/z": {}}}
        more = msgspec.structs.replace(guest, meta={CAPABILITIES_KEY: able})
        told = more.own("id", "subscriptions/listen", {}).params["_meta"][CAPABILITIES_KEY]
        assert told == {"roots": {}, "extensions": {TASKS: {}}}  # what does not pass is not said
        legacy = msgspec.structs.replace(guest, era=Era.LEGACY)
        assert legacy.own("id", "tools/list", {}).payload == b""

    run(story())
