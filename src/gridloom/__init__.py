"""Gridloom: Hyperledger Fabric's architecture in Python, and an energy market on top."""

__version__ = "0.1.0.dev0"
