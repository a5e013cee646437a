"""Chaincode baas, paper 000's market: whom to trade with, and whether the grid carries it.

Three contracts share one state.  baas_grid (platform): feeder, plans, observations;
baas_evidence (choosing): decisions; baas_contracts (trading): contracts, security check,
delivery.  Rules, pure and exact: evidence, evidence_sources, decision (Dempster-Shafer),
potential_units with least_cost_flow (where energy can be routed to), operating_point (the
power flow, verified), shortfall (the penalty).  It needs chaincode authentication on the
same channel.  (Fabric counterpart: none.)
"""

from .choosing import BaasEvidence
from .platform import BaasGrid
from .trading import BaasContracts

contracts = [BaasGrid, BaasEvidence, BaasContracts]

__all__ = ["BaasContracts", "BaasEvidence", "BaasGrid", "contracts"]
