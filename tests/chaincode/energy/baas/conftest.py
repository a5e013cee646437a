"""Paper 000's market on a ledger in memory."""

import pytest

from harness.baas_market import BaasMarket


@pytest.fixture
def market() -> BaasMarket:
    return BaasMarket()
