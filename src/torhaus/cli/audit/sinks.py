"""`torhaus audit sinks`: where else records go, and how far that has come."""

import secrets
import time
from typing import Annotated

import msgspec
import typer

from torhaus.audit.lag import seconds
from torhaus.audit.shape import timestamp
from torhaus.cli.audit.offline import asker
from torhaus.cli.output import NO, columns, complain, counted, printable, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, DataDir, Reader, read_or_exit
from torhaus.config.settings import Settings
from torhaus.model.record import Record, RecordAccess, RecordResult, RecordUser
from torhaus.model.shipping import (
    DeliveryError,
    Parcel,
    PartlyError,
    RefusedError,
    SinkSettings,
    SinkState,
)
from torhaus.store.audit.sinks.positions import DamagedBookError
from torhaus.store.audit.sinks.registry import make
from torhaus.store.audit.sinks.standing import standing


def sinks(
    *,
    config: ConfigFile = DEFAULT,
    data_dir: DataDir = None,
    test: Annotated[
        str | None, typer.Option("--test", metavar="NAME", help="Deliver one test record.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Show where else audit records go, what is not delivered yet, and the last error of each."""
    settings = read_or_exit(Reader(path=config, data_dir=data_dir)).settings
    if test is not None:
        _test(settings, test)
        return
    found = [_state(settings, each) for each in settings.audit.sinks]
    if json:
        say_json({"sinks": found})
    elif not found:
        say("No sinks are configured: audit records stay here.")
    else:
        say(columns([HEAD, *(_row(each, time.time()) for each in found)]))


HEAD = ("SINK", "DELIVERED", "BEHIND", "OLDEST", "REJECTED", "LAST ERROR")


def _row(state: SinkState, now: float) -> tuple[str, ...]:
    late = f"{seconds(state, now):.0f} s" if state.oldest else "-"
    return (
        state.name,
        str(state.delivered),
        str(state.behind),
        late,
        str(state.refused),
        state.error or "-",
    )


def _state(settings: Settings, sink: SinkSettings) -> SinkState:
    try:
        return standing(settings.data_dir / "audit", sink.name)
    except OSError as error:
        refuse(f"{error.filename} cannot be read: {error.strerror}.")
    except DamagedBookError as error:
        return SinkState(name=sink.name, state="failing", error=str(error))


def _test(settings: Settings, name: str) -> None:
    wanted = next((each for each in settings.audit.sinks if each.name == name), None)
    if wanted is None:
        known = ", ".join(each.name for each in settings.audit.sinks) or "none is configured"
        refuse(f"There is no sink {name}: {known}.")
    parcel = _parcel(time.time())
    try:
        sink = make(wanted)
        try:
            sink.deliver([parcel])
        finally:
            sink.close()
    except PartlyError as error:
        complain(f"{name} did not take it: {printable('; '.join(error.refused.values()))}")
        raise typer.Exit(NO) from error
    except (DeliveryError, RefusedError) as error:
        complain(f"{name} did not take it: {printable(str(error))}")
        raise typer.Exit(NO) from error
    say(f"{name} took {counted(1, 'test record')}: {parcel.record.request_id}")


def _parcel(now: float) -> Parcel:
    """A record like any other, that says of itself that it is a test."""
    id = f"test_{secrets.token_hex(8)}"
    record = Record(
        timestamp(now),
        id,
        RecordUser(asker(), "", ""),
        "torhaus",
        "audit.sinks.test",
        msgspec.Raw(b"{}"),
        RecordResult("success", None, cached=False, duration_ms=0),
        RecordAccess("test", allowed=True, reason="a test record: torhaus audit sinks --test"),
    )
    return Parcel(msgspec.json.encode(record), record, id, 1)
