"""The one way out to what others point to, as the file allows it now."""

from collections.abc import Callable

from torhaus.config.settings import Settings
from torhaus.upstream.egress import Egress


class WayOut:
    """Owned by one event loop. `settings`: those in force.

    The client is made once, as reading the authorities takes a while, and again when the file
    allows something else: whoever keeps what it fetched sees by that that it may be out of date.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._made: tuple[object, Egress] | None = None

    def __call__(self) -> Egress:
        """Raises FetchError when `egress.ca_file` is unusable."""
        settings = self._settings()
        allowed = (settings.egress, settings.egress_ca)
        if self._made is None or self._made[0] != allowed:
            ca_file = None if settings.egress_ca is None else str(settings.egress_ca)
            self._made = (allowed, Egress(settings.egress, ca_file=ca_file))
        return self._made[1]
