"""The peer: endorses proposals, validates and commits blocks, serves events and the gateway.

Start at ``node`` (a whole peer), then ``endorser`` for a proposal's way and ``channel`` for a
block's: ``validation`` judges it, ``ledger`` keeps it, ``chaincodes`` runs what is proposed,
``gateway`` and ``deliver`` serve clients.  (Fabric: core/, internal/peer/node)
"""
