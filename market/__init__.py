"""The energy market off the chain: pricing, scenarios, the traded day, its report.

Reading order: tariff and period (the model of one hour), followers (sellers' answer to
a price), pricing/ (one module per way to set the price), swarm (the paper's search),
solve (case files), day (the trading through the client SDK), report.  The rules that
the ledger enforces are not here but in chaincode/energy, which this folder imports.
(Fabric counterpart: none; this is an application on a network.)
"""
