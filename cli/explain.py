"""``gridloom ledger explain``: how a peer would run a rich query."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .running import DEFAULT_DIRECTORY, Directory

if TYPE_CHECKING:
    from pathlib import Path

    from gridloom.peer.ledger.queries.explain import Explanation


def explain(
    chaincode: Annotated[str, typer.Argument(help="Whose state is asked.")],
    query: Annotated[str, typer.Argument(help="The query, JSON with a selector; - reads stdin.")],
    directory: Directory = DEFAULT_DIRECTORY,
    channel: Annotated[
        str, typer.Option("--channel", "-C", help="The channel; the first by default.")
    ] = "",
    collection: Annotated[
        str, typer.Option("--collection", help="Ask a private data collection instead.")
    ] = "",
    peer: Annotated[
        str, typer.Option("--peer", help="Whose ledger; the first peer of the channel by default.")
    ] = "",
) -> None:
    """Show the index and the SQL by which a peer answers a rich query, and what is wrong with it.

    The network's state database has to be CouchDB; the network may be running. Status 1 if a
    transaction would be refused its results.
    """
    text = sys.stdin.read() if query == "-" else query
    explanation = _explain(directory, channel, peer, chaincode, collection, text)
    typer.echo(f"index     {explanation.index}")
    for warning in explanation.warnings:
        typer.echo(f"warning   {warning}")
    if not explanation.complete:
        typer.echo("note      results of the statement are held against the selector once more")
    typer.echo(f"\n{explanation.sql}\n")
    for step in explanation.steps:
        typer.echo(step)
    raise typer.Exit(1 if explanation.refused else 0)


def _explain(
    directory: Path, channel: str, peer: str, chaincode: str, collection: str, query: str
) -> Explanation:
    from gridloom.deploy.home import NetworkHome  # noqa: PLC0415
    from gridloom.deploy.nodes import UnknownNode, ledgers_place  # noqa: PLC0415
    from gridloom.peer.ledger.rich_queries import RichQueries  # noqa: PLC0415
    from gridloom.peer.ledger.storage import open_storage  # noqa: PLC0415

    home = NetworkHome(directory)
    topology = home.topology()
    spec = topology.channel(channel) if channel else topology.channels[0]
    names = [node.name for org in topology.members(spec) for node in org.peers]
    name = peer or names[0]
    if name not in names:
        raise UnknownNode(name, names)
    place = ledgers_place(topology, home, name)
    store = open_storage(place, name, topology.state_database).reader(spec.name)
    try:
        return RichQueries(store).explain(chaincode, query, collection)
    finally:
        store.close()
