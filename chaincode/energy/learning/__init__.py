"""The learning market (paper 002): the rules and records of chaincode `automatic_auction`.

Reading order: flows (who serves whom), payments (the three objectives as transfers), game (is
a pair of prices an equilibrium?), kd_tree (the nearest quote), parties and stages (who bids
where, when and within which bounds), matching (quotes become orders), credit (orders kept and
violated).  Everything is in exact numbers: energy in Wh, money in micro-yuan, prices in
micro-yuan per kWh.  (Fabric counterpart: none.)
"""
