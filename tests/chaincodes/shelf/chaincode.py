"""A chaincode that uses each part of the ledger: ranges, pages, composite keys, history, others."""

from gridloom.chaincode import ChaincodeError, Context, Contract, KeyEndorsementPolicy, transaction

EDITION = 1


class Shelf(Contract):
    """Things on a shelf, by name."""

    @transaction("submit")
    def init(self, ctx: Context, owner: str) -> str:
        """Say whose shelf it is."""
        ctx.stub.put_state("owner", owner)
        return owner

    @transaction("evaluate")
    def edition(self, ctx: Context) -> int:
        """Which edition of this code runs."""
        return EDITION

    @transaction("submit")
    def put(self, ctx: Context, key: str, value: str) -> None:
        """Put a thing there."""
        ctx.stub.put_state(key, value)

    @transaction("submit")
    def remove(self, ctx: Context, key: str) -> None:
        """Take a thing away."""
        ctx.stub.delete_state(key)

    @transaction("evaluate")
    def get(self, ctx: Context, key: str) -> str:
        """Look at a thing."""
        return ctx.stub.get_state(key).decode()

    @transaction("submit")
    def fill(self, ctx: Context, prefix: str, count: int) -> None:
        """Put many things there."""
        for number in range(count):
            ctx.stub.put_state(f"{prefix}{number:04}", str(number))

    @transaction("evaluate")
    def keys(self, ctx: Context, start: str, end: str) -> list[str]:
        """Names from start to end."""
        return [key for key, _ in ctx.stub.get_state_by_range(start, end)]

    @transaction("evaluate")
    def page(
        self, ctx: Context, start: str, end: str, size: int, bookmark: str
    ) -> tuple[list[str], str]:
        """One page of names, and where the next one starts."""
        found, metadata = ctx.stub.get_state_by_range_with_pagination(start, end, size, bookmark)
        return [key for key, _ in found], metadata.bookmark

    @transaction("submit")
    def count_into(self, ctx: Context, start: str, end: str, key: str) -> int:
        """Store how many things there are: wrong as soon as another one comes."""
        count = sum(1 for _ in ctx.stub.get_state_by_range(start, end))
        ctx.stub.put_state(key, str(count))
        return count

    @transaction("submit")
    def tag(self, ctx: Context, colour: str, name: str) -> None:
        """File a thing under its colour."""
        ctx.stub.put_state(ctx.stub.create_composite_key("colour", [colour, name]), b"\0")

    @transaction("evaluate")
    def tagged(self, ctx: Context, colour: str) -> list[str]:
        """All things of a colour."""
        found = ctx.stub.get_state_by_partial_composite_key("colour", [colour])
        return [ctx.stub.split_composite_key(key)[1][1] for key, _ in found]

    @transaction("evaluate")
    def history(self, ctx: Context, key: str) -> list[str]:
        """What was there, the newest first; - where it was taken away."""
        found = ctx.stub.get_history_for_key(key)
        return ["-" if each.is_delete else each.value.decode() for each in found]

    @transaction("submit")
    def announce(self, ctx: Context, name: str, payload: str) -> None:
        """Emit an event."""
        ctx.stub.set_event(name, payload)

    @transaction("submit")
    def guard(self, ctx: Context, key: str, msp_ids: list[str]) -> None:
        """Let a thing be changed only with the endorsement of these organisations."""
        policy = KeyEndorsementPolicy()
        policy.add_orgs("PEER", *msp_ids)
        ctx.stub.put_state(key, b"guarded")
        ctx.stub.set_state_validation_parameter(key, policy.policy())

    @transaction("submit")
    def relay(self, ctx: Context, chaincode: str, function: str, arguments: list[str]) -> str:
        """Call another chaincode and return its answer."""
        response = ctx.stub.invoke_chaincode(chaincode, [function, *arguments])
        if response.status != 200:
            raise ChaincodeError(f"{chaincode}: {response.message}")
        ctx.stub.put_state("relayed", response.payload or b"nothing")
        return response.payload.decode()

    @transaction("evaluate")
    def whoami(self, ctx: Context) -> str:
        """Who asks."""
        return ctx.client_identity.id

    @transaction("submit")
    def whisper(self, ctx: Context) -> str:
        """How long the transient secret is; the secret itself stays out of the ledger."""
        return str(len(ctx.stub.get_transient()["secret"]))

    @transaction("submit")
    def fail(self, ctx: Context, message: str) -> None:
        """Fail after a write and an event, of which nothing must remain."""
        ctx.stub.put_state("failed", message)
        ctx.stub.set_event("failed", message)
        raise ChaincodeError(message)

    @transaction("submit")
    def crash(self, ctx: Context) -> None:
        """Fail with a bug."""
        _ = 1 // 0
