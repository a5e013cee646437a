"""Fabric's wire contract: 41 .proto files and, beside each, its Python bindings.

File names, packages, numbers and options are those of hyperledger/fabric-protos, because they
travel in descriptors; regenerate the bindings with ``python tools/gen_protos.py``.
"""
