"""Peers talking to peers: authenticated streams of signed messages (Fabric: gossip/).

``messages`` packs and opens envelopes, ``handshake`` says who is at the other end,
``connection`` is one stream, ``communication`` the service and the streams to other peers.
What is talked about lies elsewhere: private data in ``peer/private_data``.
"""
