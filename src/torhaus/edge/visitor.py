"""A known caller at the door."""

import msgspec

from torhaus.model.people import Principal


class Visitor(msgspec.Struct, frozen=True):
    """`key`: what proved it; None for an anonymous caller of a listed network."""

    principal: Principal
    key: bytes | None
