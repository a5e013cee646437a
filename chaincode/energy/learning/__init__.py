"""The learning market's chaincode (paper 002), and the rules it enforces.

Reading order: flows (who serves whom), payments (the three objectives as transfers), elastic
(is a pair of prices an equilibrium?), kd_tree (the nearest quote); then quotes and contracts
(what stands on the ledger), and automatic_auction, the chaincode.  Pure modules are in exact
integers: energy in Wh, money in micro-yuan, prices in micro-yuan per kWh.
(Fabric counterpart: none.)
"""
