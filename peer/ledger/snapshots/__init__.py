"""Ledger snapshots: a channel's state at one block, in files whose hashes peers can compare.

``export.py`` writes them, ``import_.py`` reads and verifies them, ``requests.py`` decides when
one is due.  The files and their hashes are Fabric's, byte for byte: peers of both kinds can
join a channel from each other's.  (Fabric: core/ledger/kvledger/{snapshot,snapshot_mgmt}.go.)
"""
