import pytest

from tests.torhaus.upstream import pipes


@pytest.fixture(autouse=True)
def own_children() -> None:
    """What other tests have running does not count."""
    pipes.OTHERS.clear()
    pipes.OTHERS.update(pipes.every_child())
