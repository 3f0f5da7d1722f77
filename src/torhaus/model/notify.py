"""Where people are told what waits for them."""

import msgspec

from torhaus.model.secret import Secret


class Webhook(msgspec.Struct, frozen=True):
    """Notices are posted to `url` as JSON, signed with `secret`."""

    url: str
    secret: Secret
