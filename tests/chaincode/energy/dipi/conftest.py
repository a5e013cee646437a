"""Paper 001's three chains on ledgers in memory."""

import pytest

from harness.dipi_market import DipiMarket


@pytest.fixture
def market() -> DipiMarket:
    return DipiMarket()
