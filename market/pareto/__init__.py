"""Buying from suppliers at least cost and largest volume (paper 004, section 3.2).

Reading order: offers (what is for sale), front (the exact trade-off and hypervolume),
selection (whole suppliers only), archive (non-dominated purchases), mopso (the paper's
particle swarm, which fills an archive).  (Fabric counterpart: none.)
"""
