"""Putting networks together: the only folder that knows peers, orderers, CAs and chaincode.

``topology`` is what the YAML description says; ``material`` issues its certificates,
``configtx`` makes its channels' genesis blocks.  ``nodes`` builds single nodes, ``network``
holds all of them in one process, ``processes`` and ``node_process`` run each in its own;
``up`` and ``home`` keep a network in a folder.  ``access`` is for its users and operators,
``packaging`` and ``python_chaincode`` are for Python chaincode.  (Fabric: test-network's
scripts, cryptogen, configtxgen.)
"""
