"""``gridloom demo``: the paper's market day, traded on a network of this machine.

It brings up a consortium of three organisations over TLS, deploys the market's
chaincodes through the lifecycle, enrols the users with their organisation's CA, and trades
through the client SDK.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .running import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from gridloom.deploy.access import NetworkAccess
    from gridloom.deploy.home import NetworkHome
    from gridloom.market.microgrid.day import DayResult, Members, Progress
    from gridloom.market.microgrid.energy_day import EnergyDay
    from gridloom.market.microgrid.summary import DaySummary

OPERATOR, PROSUMERS, UTILITY = "OperatorMSP", "ProsumersMSP", "UtilityMSP"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: gridloom demo --out report && open report/report.html")(demo)


def demo(
    out: Annotated[
        Path,
        typer.Option("--out", file_okay=False, help="Where report.html, CSVs and summary.json go."),
    ] = Path("gridloom-report"),
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            exists=True,
            file_okay=False,
            help="A folder with load.csv and generation.csv instead of the paper's day: first "
            "column the hour, then one for each user, kWh.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the price search.")] = 0,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", "-d", help="Keep the network here; it is deleted otherwise."),
    ] = None,
) -> None:
    """Trade the paper's market day and set the results beside the published tables."""
    from rich.console import Console  # noqa: PLC0415

    from gridloom.deploy.home import HomeError, NetworkHome  # noqa: PLC0415
    from gridloom.deploy.network_lock import NetworkLock  # noqa: PLC0415
    from gridloom.market.microgrid.energy_day import paper_day, read_day  # noqa: PLC0415
    from gridloom.market.microgrid.export import write_results  # noqa: PLC0415
    from gridloom.market.microgrid.summary import summarise  # noqa: PLC0415

    console = Console()
    scenario = paper_day() if data is None else read_day(data)
    with ExitStack() as stack:
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gridloom-")))
        home = NetworkHome(directory)
        stack.enter_context(NetworkLock(home.path))
        if home.exists():
            raise HomeError(home.path, "there is a network here already; choose another --dir")
        started = time.perf_counter()
        day = run(_trade(scenario, home, seed, console))
        seconds = time.perf_counter() - started
    summary = summarise(day, seconds)
    written = write_results(day, summary, out)
    _show(day, summary, console)
    console.print(f"\nThe whole report: {written[0]}")


async def _trade(scenario: EnergyDay, home: NetworkHome, seed: int, console: Console) -> DayResult:
    from importlib import resources  # noqa: PLC0415

    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from gridloom.deploy.access import NetworkAccess  # noqa: PLC0415
    from gridloom.deploy.network import Network  # noqa: PLC0415
    from gridloom.deploy.network_state import describe  # noqa: PLC0415
    from gridloom.deploy.topology import Topology  # noqa: PLC0415
    from gridloom.market.microgrid.day import trade_day  # noqa: PLC0415

    text = (resources.files("gridloom.deploy") / "examples" / "microgrid.yaml").read_text()
    columns = (TextColumn("{task.description:34}"), BarColumn(), TimeElapsedColumn())
    async with AsyncExitStack() as stack:
        bar = stack.enter_context(Progress(*columns, console=console))
        task = bar.add_task("network", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        home.save_description(text)
        network = Network.create(Topology.parse(text), home)
        await stack.enter_async_context(network)
        await network.serve()
        home.save_state(
            describe(
                home, network.topology, network.builder.material, process_id=None, mode="single"
            )
        )
        access = NetworkAccess.open(home)
        stack.push_async_callback(access.close)
        await _deploy(access, progress)
        members = await _members(access, scenario, progress)
        return await trade_day(
            scenario,
            members,
            now=network.builder.now,
            seed=seed,
            progress=progress,
        )


async def _deploy(access: NetworkAccess, progress: Progress) -> None:
    """Take the chaincodes of the market through the lifecycle, side by side."""
    import asyncio  # noqa: PLC0415

    from gridloom.chaincode import energy  # noqa: PLC0415
    from gridloom.chaincode.energy import neighbours  # noqa: PLC0415
    from gridloom.client.admin import ChaincodeDefinition  # noqa: PLC0415
    from gridloom.deploy.packaging import package_source  # noqa: PLC0415

    source = Path(energy.__file__).parent
    names = (
        neighbours.AUTHENTICATION,
        neighbours.ENERGY_UNITS,
        neighbours.MATCHMAKING,
        neighbours.COMPENSATION,
        neighbours.DISPATCH,
    )
    (channel,) = access.topology.channels
    done = 0

    async def deploy(name: str) -> None:
        nonlocal done
        package = package_source(source, label=f"{name}_1.0", module=f"energy.{name}")
        await access.deploy_chaincode(package, ChaincodeDefinition(name), channel)
        done += 1
        progress(f"chaincode {name} deployed", done, len(names))

    await asyncio.gather(*(deploy(name) for name in names))


async def _members(access: NetworkAccess, scenario: EnergyDay, progress: Progress) -> Members:
    """Enrol everybody with the CA of his organisation, and connect them.

    What a certificate may do on the market are attributes that the CA has written into it.
    """
    import asyncio  # noqa: PLC0415

    from gridloom.chaincode.energy.roles import ROLE_ATTRIBUTE, Role  # noqa: PLC0415
    from gridloom.deploy.registrar import NetworkRegistrar  # noqa: PLC0415
    from gridloom.market.journal import Member  # noqa: PLC0415
    from gridloom.market.microgrid.day import Members  # noqa: PLC0415

    (channel,) = access.topology.channels
    registrar = NetworkRegistrar(access.topology, access.material)
    enrolled = 0

    async def member(msp_id: str, user: str, attributes: Mapping[str, str]) -> Member:
        nonlocal enrolled
        await registrar.enroll_user(msp_id, user, attributes)
        enrolled += 1
        progress(f"{user} enrolled", enrolled, len(scenario.users) + 2)
        network = access.gateway(msp_id, user).get_network(channel.name)
        return Member(user, msp_id, network, access.signer(msp_id, user))

    async def prosumers() -> list[Member]:
        return [
            await member(PROSUMERS, f"user{number}", scenario.attributes(number))
            for number in scenario.users
        ]

    operator, grid, users = await asyncio.gather(
        member(OPERATOR, "desk", {ROLE_ATTRIBUTE: Role.OPERATOR}),
        member(UTILITY, "meter", {ROLE_ATTRIBUTE: Role.GRID}),
        prosumers(),
    )
    return Members(channel.name, operator, grid, users)


def _show(day: DayResult, summary: DaySummary, console: Console) -> None:
    """Print the day's prices and money, and what of the paper it agrees with."""
    from rich.table import Table  # noqa: PLC0415

    from gridloom.market.microgrid.comparison import tables  # noqa: PLC0415

    compared = {table.number: table for table in tables(day)}
    shown = Table(title="The market day", title_justify="left")
    for heading in ("hour", "price", "printed", "bill", "revenue", "import", "export", "block"):
        shown.add_column(heading, justify="right")
    for hour in summary.hours:
        printed = compared[12].rows[hour.hour][0].printed
        shown.add_row(
            str(hour.hour),
            "-" if hour.price is None else f"{hour.price:.6f}",
            "" if printed is None else f"{printed:.3f}",
            f"{hour.bill_buyers:.4f}",
            f"{hour.revenue_sellers:.4f}",
            f"{hour.grid_import_kwh:.3f}",
            f"{hour.grid_export_kwh:.3f}",
            str(hour.block),
        )
    console.print(shown)
    console.print(
        f"buyers pay {summary.total_bill:.6f} yuan and save {summary.saving_percent:.3f} %; "
        f"sellers earn {summary.seller_revenue:.6f} yuan; {summary.seconds:.1f} s"
    )
    for table in compared.values():
        if table.compared:
            console.print(
                f"Table {table.number} ({table.title}): {table.agreeing} of {table.compared} "
                "cells as printed; the report explains the others"
            )
