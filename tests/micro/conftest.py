"""Material that several micro-benchmarks share.

``python tools/micro.py`` measures them and sets them beside the stored baseline; in the ordinary
run of the tests each is called once, as a smoke.
"""

import pytest

from harness.consortium import Consortium, consortium
from harness.transactions import Draft, namespace, rwset

BLOCK = 100
"""Transactions of a block."""


@pytest.fixture(scope="session")
def members() -> Consortium:
    """The test network's organisations and their people."""
    return consortium()


@pytest.fixture(scope="session")
def entries(members: Consortium) -> list[bytes]:
    """A block's entries: each reads one key, writes another, and both organisations endorse."""
    endorsers = [members.peer(1), members.peer(2)]

    def envelope(number: int) -> bytes:
        results = rwset(namespace("basic", {f"k{number}": b"v" * 64}, reads=[f"r{number}"]))
        nonce = number.to_bytes(24, "big")
        draft = Draft(creator=members.user(), endorsers=endorsers, nonce=nonce, results=results)
        return draft.envelope()

    return [envelope(number) for number in range(BLOCK)]
