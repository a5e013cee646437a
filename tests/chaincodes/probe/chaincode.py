"""A chaincode that shows each thing a client can observe, one function for each."""

from gridloom.chaincode import ChaincodeError, Context, Contract, transaction


class Probe(Contract):
    """State, events, transient data, failures."""

    @transaction("submit")
    def put(self, ctx: Context, key: str, value: str) -> str:
        """Write a value and return it."""
        ctx.stub.put_state(key, value.encode())
        return value

    @transaction("evaluate")
    def get(self, ctx: Context, key: str) -> str:
        """Return a value, "" if there is none."""
        return ctx.stub.get_state(key).decode()

    @transaction("submit")
    def increment(self, ctx: Context, key: str) -> int:
        """Read, add one, write: two of these in one block conflict."""
        value = int(ctx.stub.get_state(key) or b"0") + 1
        ctx.stub.put_state(key, str(value).encode())
        return value

    @transaction("submit")
    def emit(self, ctx: Context, name: str, payload: str) -> None:
        """Emit an event."""
        ctx.stub.put_state(f"event-{name}", payload.encode())
        ctx.stub.set_event(name, payload.encode())

    @transaction("submit")
    def transient(self, ctx: Context) -> dict[str, str]:
        """Return the transient data, which no block may ever show."""
        return {key: value.decode() for key, value in ctx.stub.get_transient().items()}

    @transaction("submit")
    def fail(self, ctx: Context, message: str) -> None:
        """Fail with a message."""
        raise ChaincodeError(message)

    @transaction("submit")
    def crash(self, ctx: Context) -> None:
        """Fail with a bug."""
        _ = 1 // 0

    @transaction("submit")
    def differ(self, ctx: Context) -> str:
        """Return something else on every peer, which no policy can accept."""
        msp_id = ctx.stub.get_msp_id()
        ctx.stub.put_state("differ", msp_id.encode())
        return msp_id
