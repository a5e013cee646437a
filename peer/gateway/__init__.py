"""The gateway: one peer acts for a client towards all others (Fabric: internal/pkg/gateway).

A client signs a proposal and the transaction made of it; choosing endorsers, comparing their
answers, reaching an orderer and watching for the commit happen here, one file for each rpc.
"""

from .service import Gateway, GatewayOptions

__all__ = ["Gateway", "GatewayOptions"]
