"""The chaincode lifecycle: packages, approvals and definitions, and ``_lifecycle`` itself.

(Fabric: core/chaincode/lifecycle)
"""
