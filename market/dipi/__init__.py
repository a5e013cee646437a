"""Paper 001's market off the chain: the five-step cycle between its three channels.

cycle (one period through DU1, JY1 and LH1, by the client SDK), members (founding and
admission on all three), study (`dipi`: periods with random weather).  What the chains enforce is
in chaincode/energy/dipi.  (Fabric counterpart: none.)
"""
