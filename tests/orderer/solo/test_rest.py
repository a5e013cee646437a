"""How long the next block waits, by what the last one cost and held."""

from collections.abc import Callable

import pytest

from gridloom.orderer.chain import LONGEST_REST, REST_PER_MESSAGE
from gridloom.orderer.solo.rest import (
    COMPANY_PER_MESSAGE,
    FEW,
    LATE,
    LONGEST_COMPANY,
    LONGEST_WAIT,
    LONGEST_WHEN_LATE,
    Rest,
    gap,
)


@pytest.mark.parametrize(
    ("took", "messages", "seen", "expected"),
    [
        pytest.param(0.0, 1, False, REST_PER_MESSAGE, id="a lone message that goes elsewhere"),
        pytest.param(0.0, 500, False, LONGEST_REST, id="many that go elsewhere"),
        pytest.param(0.01, 500, True, 0.013, id="many, but we see what they cost"),
        pytest.param(0.03, 1, True, 0.03, id="slow followers, no company: no longer than they"),
        pytest.param(0.0045, 1, True, COMPANY_PER_MESSAGE, id="fast followers, no company"),
        pytest.param(0.03, 7, True, 7 * COMPANY_PER_MESSAGE, id="some company"),
        pytest.param(0.05, 100, True, LONGEST_COMPANY * 0.05, id="much company: a third more"),
        pytest.param(0.45, 100, True, LONGEST_WAIT, id="never longer than that"),
    ],
)
def test_the_gap_between_two_blocks(
    took: float, messages: int, seen: bool, expected: float
) -> None:
    assert gap(took, messages, seen=seen, late=False) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("took", "messages", "expected"),
    [
        pytest.param(0.02, FEW, LONGEST_COMPANY * 0.02, id="few: as ever"),
        pytest.param(0.02, FEW + 6, 6 * COMPANY_PER_MESSAGE, id="more: a while for each of them"),
        pytest.param(0.02, 100, LONGEST_WHEN_LATE * 0.02, id="many: several times the last"),
        pytest.param(0.2, 500, LONGEST_WAIT, id="never longer than that"),
    ],
)
def test_the_gap_where_there_is_more_to_do_than_can_be(
    took: float, messages: int, expected: float
) -> None:
    assert gap(took, messages, seen=True, late=True) == pytest.approx(expected)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("messages", [1, 7, 500])
def test_more_work_never_makes_the_next_block_come_sooner(
    messages: int, seen: bool, late: bool
) -> None:
    gaps = [gap(millis / 1000, messages, seen=seen, late=late) for millis in range(1000)]
    assert gaps == sorted(gaps)


class Clock:
    """Time that stands still until it is moved, and the one timer that runs in it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due = 0.0
        self.ring: Callable[[], None] | None = None

    def timer(self, seconds: float, callback: Callable[[], None]) -> "Clock":
        self.due, self.ring = self.now + seconds, callback
        return self

    def cancel(self) -> None:
        self.ring = None

    def pass_until_due(self, late: float = 0.0) -> None:
        self.now = self.due + late
        ring, self.ring = self.ring, None
        assert ring is not None
        ring()


@pytest.mark.parametrize(
    ("late", "waited"),
    [
        pytest.param(LATE / 2, LONGEST_COMPANY * 0.02, id="time to spare"),
        pytest.param(LATE * 2, LONGEST_WHEN_LATE * 0.02, id="none"),
    ],
)
def test_a_timer_that_was_late_tells_that_there_is_no_time_to_spare(
    late: float, waited: float
) -> None:
    clock = Clock()
    rest = Rest(clock.timer, lambda: clock.now, lambda: None)

    def block() -> float:
        """End a block of many messages; return when the next may be, from there."""
        rest.begin(50)
        began = clock.now
        clock.now += 0.02
        rest.taken_up()
        return clock.due - began

    assert block() == pytest.approx(LONGEST_COMPANY * 0.02)
    clock.pass_until_due(late)
    assert block() == pytest.approx(waited)
    clock.pass_until_due()
    assert block() == pytest.approx(LONGEST_COMPANY * 0.02)
