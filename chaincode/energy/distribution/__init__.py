"""The active distribution network (paper 004): rules and records of two chaincodes.

Reading order: storage (what a node holds), requests (who serves a request: cost-aware and
storage-aware), nodes (participants and their periods), request_text (what a requester signs),
deliveries (what a decided period leaves), all for `energy_requests`; merit_order (the cheapest
purchase under the price cap) and purchases (offers, demands and bills) for `power_purchase`.
Everything is in exact numbers: energy in Wh, money in micro-yuan, prices in micro-yuan per
kWh, distances in metres.  (Fabric counterpart: none.)
"""
