"""Paper 000's market on the ledger: whom to trade with, whether the grid can carry it.

Rules, pure and exact: evidence (Dempster-Shafer), decision (whom to trade with),
potential_units with least_cost_flow (where energy can be routed to), shortfall (the
penalty).  (Fabric counterpart: none.)
"""
