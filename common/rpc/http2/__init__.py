"""HTTP/2 as gRPC uses it (RFC 9113, 7541; grpc's PROTOCOL-HTTP2.md).

``frames``, ``control``, ``header_blocks`` and ``messages`` are layouts of bytes, ``opening`` and
``closing`` what a call's headers and trailers say; ``sending`` and ``connection`` are what both
sides of a connection have in common and know no socket; ``server_side`` and ``client_side`` are
what each makes of it; ``wire`` ties a connection to asyncio.  (Fabric: google.golang.org/grpc's
internal/transport)
"""
