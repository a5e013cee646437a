"""Secrets are hashed quickly here: how slowly it is done is for test_secret_hash.py to see."""

from collections.abc import Iterator

import pytest

from gridloom.ca import secret_hash


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret_hash, "MEMORY", 64)
        patch.setattr(secret_hash, "PASSES", 1)
        yield
