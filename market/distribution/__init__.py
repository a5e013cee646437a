"""Paper 004: an active distribution network trades for a day.

Reading order: profiles (six suppliers and five users, hour by hour), purchase (from the swarm's
archive to whole Wh), day (the 24 hours, in memory and on a network), balance (who serves whose
requests, and what each node earns by it), requests_on_ledger (the same on a network), delay (how
long a trade takes there); the *_report modules make results of them, paper sets the swarm
beside the exact front, request_trading makes the two schemes mechanisms of any community.  The
swarm is in pareto/; what the ledger enforces is in chaincode/energy/distribution.
(Fabric counterpart: none.)
"""
