"""The peer's end of chaincode: definitions, packages, runtimes and system chaincodes.

(Fabric: core/chaincode, core/scc)
"""
