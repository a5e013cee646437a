"""A chaincode for private data: every way to write, read and guard a collection."""

from gridloom.chaincode import ChaincodeError, Context, Contract, KeyEndorsementPolicy, transaction


class Vault(Contract):
    """Secrets, by collection and name; their values come in the transient field ``value``."""

    @transaction("submit")
    def put(self, ctx: Context, collection: str, key: str) -> None:
        """Store a secret."""
        ctx.stub.put_private_data(collection, key, ctx.stub.get_transient()["value"])

    @transaction("submit")
    def put_all(self, ctx: Context, collections: list[str], key: str) -> None:
        """Store a secret in several collections at once."""
        for collection in collections:
            ctx.stub.put_private_data(collection, key, ctx.stub.get_transient()["value"])

    @transaction("evaluate")
    def get(self, ctx: Context, collection: str, key: str) -> str:
        """Look at a secret."""
        return ctx.stub.get_private_data(collection, key).decode()

    @transaction("evaluate")
    def digest(self, ctx: Context, collection: str, key: str) -> str:
        """SHA-256 of a secret, which is none."""
        return ctx.stub.get_private_data_hash(collection, key).hex()

    @transaction("submit")
    def delete(self, ctx: Context, collection: str, key: str) -> None:
        """Take a secret away; its past stays."""
        ctx.stub.delete_private_data(collection, key)

    @transaction("submit")
    def purge(self, ctx: Context, collection: str, key: str) -> None:
        """Take a secret away with all its past."""
        ctx.stub.purge_private_data(collection, key)

    @transaction("evaluate")
    def keys(self, ctx: Context, collection: str, start: str, end: str) -> list[str]:
        """Names from start to end."""
        found = ctx.stub.get_private_data_by_range(collection, start, end)
        return [key for key, _ in found]

    @transaction("submit")
    def count(self, ctx: Context, collection: str, key: str) -> int:
        """Store how many secrets there are, which no peer allows."""
        count = sum(1 for _ in ctx.stub.get_private_data_by_range(collection, "", ""))
        ctx.stub.put_state(key, str(count))
        return count

    @transaction("submit")
    def append(self, ctx: Context, collection: str, key: str) -> None:
        """Make a secret longer: two of these in one block conflict."""
        old = ctx.stub.get_private_data(collection, key)
        new = old + ctx.stub.get_transient()["value"]
        ctx.stub.put_private_data(collection, key, new)

    @transaction("submit")
    def guard(self, ctx: Context, collection: str, key: str, msp_ids: list[str]) -> None:
        """Let a secret be changed only with the endorsement of these organisations."""
        policy = KeyEndorsementPolicy()
        policy.add_orgs("PEER", *msp_ids)
        ctx.stub.set_private_data_validation_parameter(collection, key, policy.policy())

    @transaction("evaluate")
    def guards(self, ctx: Context, collection: str, key: str) -> list[str]:
        """The organisations that must endorse a change of a secret."""
        parameter = ctx.stub.get_private_data_validation_parameter(collection, key)
        return KeyEndorsementPolicy(parameter).list_orgs() if parameter else []

    @transaction("submit")
    def note(self, ctx: Context, key: str, value: str) -> None:
        """Write something that is no secret."""
        ctx.stub.put_state(key, value)

    @transaction("submit")
    def put_then_fail(self, ctx: Context, collection: str, key: str) -> None:
        """Store a secret and fail: it must not get anywhere."""
        self.put(ctx, collection, key)
        raise ChaincodeError("no luck")
