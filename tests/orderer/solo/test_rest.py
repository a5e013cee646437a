"""How long the next block waits, by what the last one cost and held."""

import pytest

from gridloom.orderer.chain import LONGEST_REST, REST_PER_MESSAGE
from gridloom.orderer.solo.rest import COMPANY_PER_MESSAGE, LONGEST_COMPANY, LONGEST_WAIT, gap


@pytest.mark.parametrize(
    ("took", "messages", "expected"),
    [
        pytest.param(0.0, 1, REST_PER_MESSAGE, id="unseen followers of a lone message"),
        pytest.param(0.0, 500, LONGEST_REST, id="unseen followers of many"),
        pytest.param(0.03, 1, 0.03, id="slow followers, no company: no longer than they"),
        pytest.param(0.0045, 1, COMPANY_PER_MESSAGE, id="fast followers, no company"),
        pytest.param(0.03, 7, 7 * COMPANY_PER_MESSAGE, id="some company"),
        pytest.param(0.05, 100, LONGEST_COMPANY * 0.05, id="much company: a third as long again"),
        pytest.param(0.09, 100, LONGEST_WAIT, id="never longer than that"),
    ],
)
def test_the_gap_between_two_blocks(took: float, messages: int, expected: float) -> None:
    assert gap(took, messages) == pytest.approx(expected)


@pytest.mark.parametrize("messages", [1, 7, 500])
def test_more_work_never_makes_the_next_block_come_sooner(messages: int) -> None:
    gaps = [gap(milliseconds / 1000, messages) for milliseconds in range(200)]
    assert gaps == sorted(gaps)
