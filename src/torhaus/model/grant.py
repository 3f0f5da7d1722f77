"""A role for a while: temporary access, from the file or granted on request."""

import msgspec


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """`user` is an e-mail address; `begins` and `ends` Unix seconds, half open.

    `replace`: the role stands instead of the user's own roles while it lasts. `notify`: seconds
    before the end at which user and owner are told, once. `id`: the database's, or `file:<line>`.
    """

    id: str
    user: str
    role: str
    begins: float
    ends: float
    replace: bool = False
    notify: float | None = None
