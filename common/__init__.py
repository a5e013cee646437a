"""What every kind of node shares: Fabric's rules about bytes, identities, policies, channels.

Who: ``crypto`` and ``certificates``, ``identities``, ``msp/`` (which certificates an
organisation accepts), ``msp_directory`` (MSP folders on disk).  Who must agree: ``policies/``.
What is agreed: ``channel/`` (the configuration tree, its updates, the bundle in force).
What travels: ``proposals``, ``envelopes``, ``blocks``, ``chaincode_package``.  Where an
orderer keeps blocks: ``block_store`` and ``file_block_store``; how blocks are given out and
fetched: ``deliver`` and ``deliver_client``.  How nodes call each other: ``rpc/``.  ``errors``
is the root of all errors, ``wire`` parses bytes from outside, ``settings`` reads the YAML and
environment of nodes.  (Fabric: msp, common, protoutil, bccsp, internal/pkg/comm.)
"""
