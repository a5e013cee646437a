"""Peers talking to peers: authenticated streams of signed messages (Fabric: gossip/).

``messages`` packs and opens envelopes, ``handshake`` says who is at the other end,
``connection`` is one stream, ``communication`` the service and the streams to other peers.
``membership`` and ``state_info`` are what peers tell of each other and of themselves; private
data lie in ``peer/private_data``.
"""
