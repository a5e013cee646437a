"""What the ledger enforces, without the ledger: pure functions on integers.

Source: paper 003, eq. (13) and its Tables 5-7 with the readings of the restated model.
(Fabric counterpart: none.)
"""
