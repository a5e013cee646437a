"""A chaincode whose organisations matter: who runs it, who refuses, who may read what."""

from gridloom.chaincode import ChaincodeError, Context, Contract, transaction
from gridloom.chaincode.state_based import KeyEndorsementPolicy


class Council(Contract):
    """Peers that differ, private data, keys with guards of their own."""

    @transaction("evaluate")
    def organization(self, ctx: Context) -> str:
        """Return whose peer this is."""
        return ctx.stub.get_msp_id()

    @transaction("submit")
    def refuse(self, ctx: Context, msp_ids: list[str]) -> None:
        """Fail on the peers of these organisations."""
        if ctx.stub.get_msp_id() in msp_ids:
            raise ChaincodeError(f"{ctx.stub.get_msp_id()} refuses to endorse this")
        ctx.stub.put_state("refused", b"no")

    @transaction("submit")
    def differ(self, ctx: Context) -> str:
        """Return something else on every organisation's peers."""
        return ctx.stub.get_msp_id()

    @transaction("submit")
    def guard(self, ctx: Context, key: str, msp_ids: list[str]) -> None:
        """Let a key be changed by these organisations only, all of them together."""
        policy = KeyEndorsementPolicy()
        policy.add_orgs("PEER", *msp_ids)
        ctx.stub.put_state(key, b"guarded")
        ctx.stub.set_state_validation_parameter(key, policy.policy())

    @transaction("submit")
    def put(self, ctx: Context, key: str, value: str) -> None:
        """Write a value."""
        ctx.stub.put_state(key, value.encode())

    @transaction("submit")
    def hide(self, ctx: Context, collection: str, key: str) -> None:
        """Write the transient value to a collection."""
        ctx.stub.put_private_data(collection, key, ctx.stub.get_transient()["value"])

    @transaction("evaluate")
    def reveal(self, ctx: Context, collection: str, key: str) -> str:
        """Return what is in a collection."""
        return ctx.stub.get_private_data(collection, key).decode()
