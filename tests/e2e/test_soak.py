"""A slice of the soak (soak.py)."""
from soak import check_level, soak


def test_in_ordinary_life_nothing_grows_and_no_promise_breaks(world):
    check_level(soak(world, 24, pause=1))


test_in_ordinary_life_nothing_grows_and_no_promise_breaks.slow = True
