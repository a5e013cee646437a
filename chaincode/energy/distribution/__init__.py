"""The active distribution network's chaincodes (paper 004), and the rules they enforce.

Reading order: storage (what a node holds), requests (who serves a request: cost-aware and
storage-aware), merit_order (the cheapest purchase under the price cap); then nodes, trades
and the chaincodes energy_requests and power_purchase.  Pure modules are in exact numbers:
energy in Wh, money in micro-yuan, prices in micro-yuan per kWh.  (Fabric counterpart: none.)
"""
