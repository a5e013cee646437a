"""The asset-transfer chaincode of fabric-samples, for trying a network out."""

from .asset_transfer import AssetTransfer

__all__ = ["AssetTransfer"]
