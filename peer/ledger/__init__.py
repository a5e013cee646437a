"""What a peer keeps of one channel: blocks, world state, history, private data.

Start at ledger.py.  A simulator (simulator.py) reads one consistent snapshot of the state
and records a read-write set; a commit (ledger.py) checks a whole block against the state
and stores everything of it in one durable transaction (sqlite.py, or memory.py for tests).
(Fabric: core/ledger/kvledger.)
"""
