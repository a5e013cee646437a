"""A founded market on a ledger in memory."""

import pytest

from harness.energy_market import EnergyMarket


@pytest.fixture
def market() -> EnergyMarket:
    return EnergyMarket()
