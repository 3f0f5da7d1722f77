import pytest

from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.servers import Window
from torhaus.store.redis.shares import part


@pytest.mark.parametrize(
    ("whole", "third"),
    [
        (Window(100, 60.0), Window(33, 60.0)),
        (Window(2, 60.0), Window(1, 60.0)),
        (Window(0, 60.0), Window(0, 60.0)),
        (Pace(10, 1.0, 9), Pace(10, 3.0, 3)),
        (Slots(7, 30.0), Slots(2, 30.0)),
        (Quota(1000, "m", 5.0), Quota(333, "m", 5.0)),
        (Seats(6, "u", "m", 5.0), Seats(2, "u", "m", 5.0)),
    ],
)
def test_a_share_is_a_part_that_never_adds_up_to_more(whole: Budget, third: Budget) -> None:
    assert part(whole, 3) == third
    assert part(whole, 1) == whole
