"""Energy markets off the chain: communities, mechanisms, studies, reports; five papers.

The common frame: community (users, devices, profiles, tariff, feeder), mechanism (orders
in, trades and prices out), settlement (exact integers), grid_check, scenario (which study
with which parameters), study (what can be run), result (metrics, tables, plots), report.
What there is of each, by paper: mechanisms/, studies/, and kinds/ for `market solve`.
A paper's own modules are in a folder of its own: microgrid/ is paper 003, learning/ with ants/
paper 002, distribution/ with pareto/ paper 004, baas/ with power_flow/ paper 000, dipi/ with
credit/ paper 001.

The rules that the ledger enforces are not here but in chaincode/energy, which this folder
imports.  (Fabric counterpart: none; this is an application on a network.)
"""
