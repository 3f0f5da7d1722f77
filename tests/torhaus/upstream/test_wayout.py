"""One client for what others point to, made anew when the file allows something else."""

from ipaddress import ip_network

import msgspec

from torhaus.config.settings import Settings
from torhaus.upstream.wayout import WayOut


def test_it_is_made_once_for_all_and_again_when_the_file_allows_something_else() -> None:
    settings = [Settings()]
    way_out = WayOut(lambda: settings[0])

    first = way_out()
    settings[0] = msgspec.structs.replace(settings[0], port=1)
    assert way_out() is first
    settings[0] = msgspec.structs.replace(settings[0], egress=(ip_network("10.0.0.0/8"),))

    assert way_out() is not first
    assert way_out() is way_out()
