"""The routes of a CA: one module for each noun, a function for each thing to do with it.

Each function takes the request's context and returns the answer, or raises Refusal.
(Fabric: fabric-ca lib/server*.go)
"""
