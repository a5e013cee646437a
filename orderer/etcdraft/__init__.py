"""Ordering by Raft among several orderers, consensus type ``etcdraft``.

``consenter`` makes a ``chain`` for each channel.  The chain cuts blocks while it leads and hands
them to its ``node``, which runs the Raft core of ``orderer/raft`` over a ``write_ahead_log`` and
the cluster's transport; what the core has agreed on comes back and is written.  ``membership``
says who takes part (Fabric: orderer/consensus/etcdraft).
"""
