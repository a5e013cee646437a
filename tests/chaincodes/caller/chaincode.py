"""A chaincode that calls another one, on its own channel or on another."""

from gridloom.chaincode import ChaincodeError, Context, Contract, transaction


class Caller(Contract):
    """Calls, and keeps what it was told."""

    @transaction("submit")
    def call(
        self, ctx: Context, chaincode: str, channel: str, function: str, key: str, value: str
    ) -> str:
        """Call a function of another chaincode and store its answer here under the key."""
        arguments = [function, key, *([value] if value else [])]
        response = ctx.stub.invoke_chaincode(chaincode, arguments, channel)
        if response.status != 200:
            raise ChaincodeError(response.message)
        ctx.stub.put_state(key, response.payload)
        return response.payload.decode()

    @transaction("evaluate")
    def get(self, ctx: Context, key: str) -> str:
        """Return what was kept."""
        return ctx.stub.get_state(key).decode()
