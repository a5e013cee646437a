"""A chaincode that asks rich queries; META-INF beside it has its indexes."""

from gridloom.chaincode import Context, Contract, transaction

SECRETS = "secrets"


class Marbles(Contract):
    """Marbles by name, public ones and secret ones."""

    @transaction("submit")
    def put(self, ctx: Context, key: str, value: str) -> None:
        """Store any value."""
        ctx.stub.put_state(key, value)

    @transaction("submit")
    def put_secret(self, ctx: Context, key: str) -> None:
        """Store the value that comes along in the transient map."""
        ctx.stub.put_private_data(SECRETS, key, ctx.stub.get_transient()["value"])

    @transaction("evaluate")
    def get(self, ctx: Context, key: str) -> str:
        """Return a value."""
        return ctx.stub.get_state(key).decode()

    @transaction("evaluate")
    def find(self, ctx: Context, query: str) -> list[tuple[str, str]]:
        """Return names and values of what a query finds."""
        return [(key, value.decode()) for key, value in ctx.stub.get_query_result(query)]

    @transaction("evaluate")
    def find_secrets(self, ctx: Context, query: str) -> list[str]:
        """Return names of the secret marbles a query finds."""
        return [key for key, _ in ctx.stub.get_private_data_query_result(SECRETS, query)]

    @transaction("evaluate")
    def page(
        self, ctx: Context, query: str, size: int, bookmark: str
    ) -> tuple[list[str], str, int]:
        """Return one page of names, where the next one starts, and how many there are."""
        found, metadata = ctx.stub.get_query_result_with_pagination(query, size, bookmark)
        return [key for key, _ in found], metadata.bookmark, metadata.fetched_records_count

    @transaction("submit")
    def paint_all(self, ctx: Context, query: str, color: str) -> int:
        """Write the colour of all that a query finds: each of them is a read."""
        found = [key for key, _ in ctx.stub.get_query_result(query)]
        for key in found:
            ctx.stub.put_state(f"color of {key}", color)
        return len(found)
