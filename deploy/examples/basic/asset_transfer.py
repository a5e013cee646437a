"""Assets with an owner: create, read, update, delete, transfer.

The functions, arguments and answers are those of fabric-samples' asset-transfer-basic, so
its client applications run against this chaincode unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gridloom.chaincode import ChaincodeError, Context, Contract, transaction


@dataclass(frozen=True)
class Asset:
    """What is stored under the asset's id, as JSON with these field names."""

    ID: str
    Color: str
    Size: int
    Owner: str
    AppraisedValue: int


_FIRST_ASSETS = (
    Asset("asset1", "blue", 5, "Tomoko", 300),
    Asset("asset2", "red", 5, "Brad", 400),
    Asset("asset3", "green", 10, "Jin Soo", 500),
    Asset("asset4", "yellow", 10, "Max", 600),
    Asset("asset5", "black", 15, "Adriana", 700),
    Asset("asset6", "white", 15, "Michel", 800),
)


class AssetTransfer(Contract):
    """Trades assets."""

    name = "basic"
    version = "1.0"

    @transaction(name="InitLedger")
    def init_ledger(self, ctx: Context) -> None:
        """Put six assets on the ledger."""
        for asset in _FIRST_ASSETS:
            ctx.put(asset.ID, asset)

    @transaction(name="CreateAsset")
    def create_asset(  # noqa: PLR0917  # the arguments are the sample's
        self, ctx: Context, id: str, color: str, size: int, owner: str, appraised_value: int
    ) -> None:
        """Put a new asset on the ledger."""
        if self.asset_exists(ctx, id):
            raise ChaincodeError(f"the asset {id} already exists")
        ctx.put(id, Asset(id, color, size, owner, appraised_value))

    @transaction("evaluate", name="ReadAsset")
    def read_asset(self, ctx: Context, id: str) -> Asset:
        """Return an asset."""
        asset = ctx.get(id, Asset)
        if asset is None:
            raise ChaincodeError(f"the asset {id} does not exist")
        return asset

    @transaction(name="UpdateAsset")
    def update_asset(  # noqa: PLR0917  # the arguments are the sample's
        self, ctx: Context, id: str, color: str, size: int, owner: str, appraised_value: int
    ) -> None:
        """Replace an asset."""
        self.read_asset(ctx, id)
        ctx.put(id, Asset(id, color, size, owner, appraised_value))

    @transaction(name="DeleteAsset")
    def delete_asset(self, ctx: Context, id: str) -> None:
        """Remove an asset."""
        self.read_asset(ctx, id)
        ctx.stub.delete_state(id)

    @transaction("evaluate", name="AssetExists")
    def asset_exists(self, ctx: Context, id: str) -> bool:
        """Tell whether there is such an asset."""
        return bool(ctx.stub.get_state(id))

    @transaction(name="TransferAsset")
    def transfer_asset(self, ctx: Context, id: str, new_owner: str) -> str:
        """Give an asset to another owner and return the old one."""
        asset = self.read_asset(ctx, id)
        ctx.put(id, replace(asset, Owner=new_owner))
        return asset.Owner

    @transaction("evaluate", name="GetAllAssets")
    def get_all_assets(self, ctx: Context) -> list[Asset]:
        """Return all assets in the order of their ids."""
        return [ctx.decode(key, value, Asset) for key, value in ctx.stub.get_state_by_range()]
