"""How long the next block waits, by what the last one cost and held."""

import pytest

from gridloom.orderer.chain import LONGEST_REST, REST_PER_MESSAGE
from gridloom.orderer.solo.rest import LONGEST_WAIT, gap


@pytest.mark.parametrize(
    ("took", "messages", "seen", "expected"),
    [
        pytest.param(0.0, 1, False, REST_PER_MESSAGE, id="a lone message that goes elsewhere"),
        pytest.param(0.0, 500, False, LONGEST_REST, id="many that go elsewhere"),
        pytest.param(0.01, 500, True, 0.01, id="many, but we see what they cost"),
        pytest.param(0.03, 1, True, 0.03, id="one, with slow followers"),
        pytest.param(0.6, 100, True, LONGEST_WAIT, id="never longer than that"),
    ],
)
def test_the_gap_between_two_blocks(
    took: float, messages: int, seen: bool, expected: float
) -> None:
    assert gap(took, messages, seen=seen) == pytest.approx(expected)


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("messages", [1, 7, 500])
def test_more_work_never_makes_the_next_block_come_sooner(messages: int, seen: bool) -> None:
    gaps = [gap(millis / 1000, messages, seen=seen) for millis in range(1000)]
    assert gaps == sorted(gaps)
