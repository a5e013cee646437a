"""Ledger snapshots: a channel's state at one block, in files whose hashes peers can compare.

``export.py`` writes them, ``requests.py`` does so when one is due, ``stored_snapshot.py``
verifies and reads them.  Files and hashes are Fabric's, byte for byte: peers of both kinds
can join a channel from each other's.  (Fabric: core/ledger/kvledger/{snapshot,snapshot_mgmt}.go.)
"""
