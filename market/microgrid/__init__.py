"""Paper 003's microgrid: pricing games, the day traded on its chaincodes, its report.

Reading order: period (one hour: who sells, at what price, who gets how much), followers
(the sellers' answer to a price), pricing/ (one module per way to set the price), bayes
(sellers of private type), swarm (the paper's search); then energy_day (a day's data), day
(the trading through the client SDK), summary, comparison and report.  The rules that the
ledger enforces are not here but in chaincode/energy, which this folder imports.
(Fabric counterpart: none; this is an application on a network.)
"""
