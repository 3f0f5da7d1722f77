"""Intents and outcomes, as the ledger of a world has them."""

from tests.torhaus.cast import World
from torhaus.model.record import Record


def strict(made: World) -> World:
    made.gate.intents.every = True
    return made


def phases(made: World) -> list[tuple[str, str, str]]:
    """Phase, operation and status of everything that was noted, intents first."""
    every = [*made.ledger.intents, *made.ledger.noted]
    return [(each.phase, each.operation, each.result.status) for each in every]


def ids(records: list[Record]) -> list[str]:
    return [each.request_id for each in records]
