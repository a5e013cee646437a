"""Paper 000's market off the chain: intelligent units that trade through chaincode baas.

five_units (the paper's feeder), day (periods traded on a ledger by the client SDK), study
(`baas`: such a day with random weather and demand), judgements (Figure 6: how decisions
depend on how steady the units are), paper_study (`paper-000`).  The power flow is in
market/power_flow; what the ledger enforces in chaincode/energy/baas.
(Fabric counterpart: none.)
"""
