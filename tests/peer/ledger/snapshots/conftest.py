"""Ledgers that make snapshots."""

import pytest

from gridloom.peer.ledger.provider import LedgerProvider


@pytest.fixture(params=["memory", "sqlite"])
def provider(request, tmp_path):
    """Ledgers in memory or on disk that make snapshots in ``tmp_path/snapshots``."""
    storage = "memory" if request.param == "memory" else tmp_path / "ledgers"
    provider = LedgerProvider(storage, tmp_path / "snapshots")
    yield provider
    provider.close()
