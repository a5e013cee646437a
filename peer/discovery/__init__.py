"""Finding the peers to ask: which combinations of them satisfy an endorsement policy.

(Fabric: discovery.)
"""
