"""A sink before another one, which says what of it goes by."""

from collections.abc import Callable

from torhaus.model.ports import Sink


class Before:
    """What such sinks share: the stream and its brake are those of the one behind.

    `notice` is the subclass's; it hands on to `_sink` what may pass.
    """

    __slots__ = ("_sink",)

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._sink.throttle

    @throttle.setter
    def throttle(self, change: Callable[[bool], None] | None) -> None:
        self._sink.throttle = change

    def opened(self) -> None:
        self._sink.opened()
