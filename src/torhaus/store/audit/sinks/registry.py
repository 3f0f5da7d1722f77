"""Which sink is made for which target: one place for all kinds there are."""

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from torhaus.model.shipping import (
    AuditSink,
    DeliveryError,
    FileTarget,
    OtlpTarget,
    PluginTarget,
    SearchTarget,
    SinkSettings,
    StdoutTarget,
    SyslogTarget,
    WebhookTarget,
)
from torhaus.store.audit.sinks.posted import OtlpSink, SearchSink, WebhookSink
from torhaus.store.audit.sinks.syslog import SyslogSink
from torhaus.store.audit.sinks.written import FileSink, StdoutSink

GROUP = "torhaus.audit_sinks"
"""The entry points of installed packages that can be sinks."""


def _plugin(target: PluginTarget, _timeout: float) -> AuditSink:
    """Loads only what the configuration names: `make(options)` of that package."""
    found = [*entry_points(group=GROUP, name=target.entry_point)]
    if not found:
        raise DeliveryError(f"no installed package has an audit sink {target.entry_point!r}")
    if len(found) > 1:
        raise DeliveryError(f"several installed packages have a sink {target.entry_point!r}")
    made: AuditSink = found[0].load()(dict(target.options))
    return made


KINDS: dict[type, Callable[[Any, float], AuditSink]] = {
    FileTarget: lambda target, _timeout: FileSink(target),
    StdoutTarget: lambda target, _timeout: StdoutSink(target),
    SyslogTarget: SyslogSink,
    WebhookTarget: WebhookSink,
    OtlpTarget: OtlpSink,
    SearchTarget: SearchSink,
    PluginTarget: _plugin,
}


def make(settings: SinkSettings) -> AuditSink:
    """Raises DeliveryError when it cannot be made now."""
    return KINDS[type(settings.target)](settings.target, settings.timeout)
