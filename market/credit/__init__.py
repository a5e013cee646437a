"""Proof of credit off the chain: the law of a race and the simulation of Figure 4.

race (who wins when several nodes may hit in the same round), simulation (blocks won by
credit, judged by chi-square).  What the ledger and its nodes enforce is in
chaincode/energy/dipi and common/proof_of_credit.  (Fabric counterpart: none.)
"""
