"""The shapes of `approvals` and `notifications`: asking people, and telling them."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from torhaus.config.addresses import Url
from torhaus.config.amounts import Seconds, between
from torhaus.config.shape import Shape
from torhaus.config.signed import Signed


class Approvals(Shape):
    """Calls that somebody else has to agree to."""

    hold: Annotated[Seconds, between(0, 3600, "between 0 and 1h")] = 25.0
    """How long a caller whose client cannot ask is kept waiting, before he is told to come back."""
    expires: Annotated[Seconds, between(60, 604800, "between 1m and 7d")] = 900.0
    """How long a request can be decided, and an approval be used."""


class WebhookSpec(Signed):
    """An address of yours that notices are posted to."""

    url: Url
    """Where to, best https."""


class Notifications(Shape):
    """Where people are told what waits for them, and what ends soon."""

    webhook: WebhookSpec | None = None
    """None unless given."""
    later: ClassVar[Mapping[str, str]] = {
        "slack": "notices to Slack",
        "email": "notices by e-mail",
        "pagerduty": "notices to PagerDuty",
        "teams": "notices to Teams",
    }
