"""System chaincodes that answer for the peer itself: cscc and qscc.

(Fabric: core/scc)
"""
