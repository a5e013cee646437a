"""The ordering service: takes envelopes, makes blocks of them, and gives the blocks out.

``node.Orderer`` is the whole of it.  An envelope comes in through ``broadcast``, passes the
``filters`` of its channel in the ``message_processor``, is put in order by the channel's
consenter (``chain`` says what one must do, ``solo`` is the simplest, ``etcdraft`` orders among
several nodes over ``cluster`` by the core in ``raft``), is cut into blocks by the
``block_cutter``, and signed and stored by the ``block_writer``; ``deliver`` hands the blocks to
peers.  The ``registrar`` knows which channels there are; ``follower`` keeps those that others
order (Fabric: orderer/).
"""
