"""What a replica knows of a channel's configuration."""

import pytest

from gridloom.peer import replica
from gridloom.peer.replica import ReplicaChannel


class MovingLedger:
    """A ledger whose configuration changes: each has a number."""

    def __init__(self):
        self.configuration = 1
        self.collections = None

    def follow(self):
        return True

    def changed_at(self, namespace):
        return self.configuration


@pytest.mark.parametrize("when", ["at the beginning", "while following"])
def test_a_configuration_that_comes_while_the_last_one_is_read_is_taken_up_next(monkeypatch, when):
    ledger = MovingLedger()
    interrupted = when == "at the beginning"

    def stored_bundle(_):
        nonlocal interrupted
        read = ledger.configuration
        if interrupted:
            interrupted = False
            ledger.configuration += 1  # a block, right behind the reading
        return read

    monkeypatch.setattr(replica, "stored_bundle", stored_bundle)
    channel = ReplicaChannel(ledger, "Org1MSP")
    if when == "while following":
        ledger.configuration += 1
        interrupted = True
        channel.follow()
    assert channel.bundle < ledger.configuration
    channel.follow()
    assert channel.bundle == ledger.configuration
