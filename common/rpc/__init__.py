"""Remote calls between nodes, behind one small seam.

A node implements services as plain objects and registers them in a
:class:`ServiceRegistry`; it reaches other nodes through a :class:`Channel`.  Whether
a channel is gRPC or a direct call in the same process (``local``) is decided by who assembles
the nodes, and nobody else can tell.  ``transport`` gives gRPC of our own (``grpc_channel``,
``grpc_server``, over ``http2``) or, if the environment asks for it, of the library grpcio.
"""

from .channel import Channel
from .server import Call, ServiceRegistry
from .status import Code, RpcError

__all__ = ["Call", "Channel", "Code", "RpcError", "ServiceRegistry"]
