"""Unit tests of contracts: a ledger in memory, no network, no files, no waiting.

    from gridloom.chaincode.testing import Identity, MemoryLedger

    def test_an_order_can_be_read_back():
        ledger = MemoryLedger()
        orders = ledger.deploy("orders", Orders())
        alice = Identity.create("Org1MSP", "alice", attributes={"role": "seller"})
        orders.submit("publish", "o1", 5, by=alice)
        assert orders.evaluate("read", "o1").value(int) == 5

A contract runs here as it runs on a peer: the ledger answers the shim's messages, so
arguments, results and requests take their real form.  It commits each submit at once; what
ordering and validation add (conflicts, endorsement policies) needs a network.

``MemoryLedger(check_determinism=True)`` runs every transaction twice and compares what it
asks of the ledger.  That finds clocks, random numbers and state kept in the contract object;
run the tests under several PYTHONHASHSEED to find loops over sets as well.
"""

from .identity import Identity
from .memory_ledger import DeployedChaincode, MemoryLedger, NonDeterministic, Outcome
from .memory_state import Write

__all__ = [
    "DeployedChaincode",
    "Identity",
    "MemoryLedger",
    "NonDeterministic",
    "Outcome",
    "Write",
]
