"""Load on a network, measured: ``gridloom bench``.

Read `workload.py` (what one transaction is), `rates.py` (when they start), `rounds.py` (a
benchmark's YAML), `driver.py` (one process's share of a round), `runner.py` (a whole run) and
`result.py` (what comes out).  `workloads/` holds one small file for each kind of load.

The vocabulary is Caliper's: a benchmark has rounds, a round has a workload module and a rate
controller, and worker processes share its transactions.  (Fabric: hyperledger/caliper)
"""
