"""Paper 004: an active distribution network trades for a day.

Reading order: profiles (six suppliers and five users, hour by hour), purchase (from the swarm's
archive to whole Wh), day (the 24 hours), balance (who serves whose requests, and what each node
earns by it), delay (how long a trade takes on the ledger); the *_report modules make results
of them.  The swarm is in pareto/; what the ledger enforces is in chaincode/energy/distribution.
(Fabric counterpart: none.)
"""
