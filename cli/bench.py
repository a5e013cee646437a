"""``gridloom bench``: load on a network, measured."""

from __future__ import annotations

import os
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .bench_options import (
    Arguments,
    Channel,
    Concurrency,
    Csv,
    Duration,
    ExistingNetwork,
    Html,
    Json,
    MspFolder,
    OrdererAddress,
    OrdererCa,
    OrdererName,
    Processes,
    Rate,
    Retries,
    RoundsFile,
    Saturation,
    Seed,
    WarmUp,
    Workers,
    WorkersOfRounds,
    WorkloadName,
)
from .running import run as run_coroutine

if TYPE_CHECKING:
    from gridloom.bench.own_network import OwnNetwork
    from gridloom.bench.result import BenchmarkResult
    from gridloom.bench.rounds import Benchmark
    from gridloom.bench.target import Target

app = typer.Typer(help="Benchmarks: load on a network, measured.", no_args_is_help=True)


@app.command(
    epilog="Example: gridloom bench run --workload submit --concurrency 64 --duration 30 "
    "--json out.json --html out.html"
)
def run(
    rounds: RoundsFile = None,
    network: ExistingNetwork = None,
    workload: WorkloadName = "submit",
    concurrency: Concurrency = None,
    rate: Rate = None,
    saturation: Saturation = False,
    duration: Duration = 10.0,
    warmup: WarmUp = 2.0,
    retries: Retries = 0,
    argument: Arguments = None,
    workers: WorkersOfRounds = None,
    processes: Processes = False,
    channel: Channel = "",
    msp: MspFolder = None,
    orderer: OrdererAddress = "",
    orderer_ca: OrdererCa = None,
    orderer_name: OrdererName = "",
    seed: Seed = 0,
    json: Json = None,
    csv: Csv = None,
    html: Html = None,
) -> None:
    """Run rounds of load and print throughput, latency, CPU and memory of each.

    A network that is there must have the chaincode of the workloads; `bench list` says where it
    is. Exit status 1 when a round could not be driven as planned.
    """
    if sum(option is not None for option in (concurrency, rate)) + saturation > 1:
        raise typer.BadParameter("give one of --concurrency, --rate and --saturation")
    from gridloom.bench.existing_network import NetworkOptions, existing_target  # noqa: PLC0415
    from gridloom.bench.rounds import load_benchmark, single_round  # noqa: PLC0415

    benchmark = (
        load_benchmark(rounds, workers)
        if rounds is not None
        else single_round(
            workload,
            concurrency=concurrency,
            tps=rate,
            saturation=saturation,
            duration=duration,
            warmup=warmup,
            retries=retries,
            arguments=_arguments(argument or []),
            workers=workers or 1,
        )
    )
    options = NetworkOptions(channel, msp, orderer, orderer_ca, orderer_name)
    target = None if network is None else existing_target(network, options)
    _finish(_run(benchmark, target, processes=processes, seed=seed), json, csv, html)


@app.command("list", epilog="Example: gridloom bench list")
def list_workloads() -> None:
    """Show the workloads that come with the package, and their arguments."""
    from gridloom.bench.workload import built_in  # noqa: PLC0415

    for name, kind in built_in().items():
        typer.echo(f"{name:14} {(kind.__doc__ or '').strip().splitlines()[0]}")
        for argument, meaning in kind.arguments.items():
            typer.echo(f"{'':14}   {argument}: {meaning}")
    typer.echo("\nOn a network that is there they call what these commands deploy:")
    needs = {need for kind in built_in().values() for need in kind.chaincodes}
    for need in sorted(needs, key=lambda need: need.name):
        module = f" --module {need.module}" if need.module else ""
        typer.echo(f"  gridloom chaincode deploy {need.source} --name {need.name}{module}")
        if need.collections:
            typer.echo(f"    with --collections and a file of: {need.collections}")


@app.command(epilog="Example: gridloom bench table14 --html table14.html")
def table14(
    transactions: Annotated[
        int, typer.Option("--transactions", min=1, help="Of each round; the paper's is 1000.")
    ] = 1000,
    queries_only: Annotated[
        bool, typer.Option("--queries-only", help="Leave out the submits.")
    ] = False,
    workers: Workers = 1,
    processes: Processes = False,
    json: Json = None,
    csv: Csv = None,
    html: Html = None,
) -> None:
    """Drive the 26 rounds of paper 003's Table 14, as queries and as submits.

    Prints our throughput and latencies beside the printed ones. Exit status 1 when a round
    could not be driven as planned.
    """
    from dataclasses import replace  # noqa: PLC0415

    from gridloom.bench import table14 as scenario  # noqa: PLC0415

    kinds = (scenario.QUERY,) if queries_only else (scenario.QUERY, scenario.SUBMIT)
    benchmark = replace(scenario.table14_benchmark(transactions, kinds), workers=workers)
    result = _run(benchmark, None, processes=processes)
    typer.echo(scenario.text(result))
    _write(result, json, csv, html, section=scenario.section, title="Table 14")
    _exit_if_marked(result)


@app.command(epilog="Example: gridloom bench growth keys --most 100000 --svg docs/growth")
def growth(
    name: Annotated[
        str,
        typer.Argument(
            help="height, keys, block-size, payload, organizations, peers, channels or clients."
        ),
    ],
    duration: Duration = 5.0,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Leave out values beyond this one.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", file_okay=False, help="Write the plots to this folder.")
    ] = None,
    json: Json = None,
    csv: Csv = None,
    html: Html = None,
) -> None:
    """Measure what a transaction costs while something grows, and draw it."""
    from gridloom.bench import growth as growths  # noqa: PLC0415
    from gridloom.bench.export import table  # noqa: PLC0415
    from gridloom.bench.result import joined  # noqa: PLC0415

    if name not in growths.GROWTHS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(growths.GROWTHS)}")
    result = joined(
        [
            _run(benchmark, None, network=network)
            for network, benchmark in growths.benchmarks(name, duration, most)
        ]
    )
    typer.echo("\n".join([table(result), *growths.factors(result)]))
    if svg is not None:
        svg.mkdir(parents=True, exist_ok=True)
        for figure, drawing in growths.drawn(name, result).items():
            (svg / f"{name}-{figure}.svg").write_text(drawing + "\n", encoding="utf-8")

    def section(result: BenchmarkResult) -> str:
        return "".join(f"<figure>{each}</figure>" for each in growths.drawn(name, result).values())

    _write(result, json, csv, html, section=section, title=growths.GROWTHS[name].title)
    _exit_if_marked(result)


@app.command(epilog="Example: gridloom bench startup --height 1000")
def startup(
    height: Annotated[
        int, typer.Option("--height", min=10, help="Blocks of the ledger that is restarted.")
    ] = 10_000,
    json: Json = None,
) -> None:
    """Measure how long networks take to start, and their memory."""
    from gridloom.bench.startup import measure_startup  # noqa: PLC0415

    measured = measure_startup(height, progress=lambda step: typer.echo(f"  {step}", err=True))
    typer.echo("\n".join(measured.lines()))
    if json is not None:
        json.write_text(dumps(measured.document(), indent=1) + "\n", encoding="utf-8")


@app.command(epilog="Example: gridloom bench compare before.json after.json")
def compare(
    before: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A result.")],
    after: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Another one.")],
) -> None:
    """Set two results side by side, with 95 % intervals of the changes."""
    from gridloom.bench.comparison import compare_results  # noqa: PLC0415
    from gridloom.bench.result import read_result  # noqa: PLC0415

    for line in compare_results(read_result(before), read_result(after)):
        typer.echo(line)


def _run(
    benchmark: Benchmark,
    target: Target | None,
    *,
    network: OwnNetwork | None = None,
    processes: bool = False,
    seed: int = 0,
) -> BenchmarkResult:
    # What is forked here runs another program at once: gRPC need not look after it.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from gridloom.bench.session import Session  # noqa: PLC0415

    from .bench_progress import LiveProgress  # noqa: PLC0415

    with LiveProgress() as live:
        session = Session(target, network, processes=processes, seed=seed, listener=live.listener)
        return run_coroutine(session.run(benchmark))


def _finish(
    result: BenchmarkResult, json: Path | None, csv: Path | None, html: Path | None
) -> None:
    from gridloom.bench.export import table  # noqa: PLC0415

    typer.echo(table(result))
    _write(result, json, csv, html)
    _exit_if_marked(result)


def _write(
    result: BenchmarkResult,
    json: Path | None,
    csv: Path | None,
    html: Path | None,
    *,
    section: Callable[[BenchmarkResult], str] = lambda _: "",
    title: str = "Benchmark",
) -> None:
    """Write what was asked for; section: what the page has besides the rounds."""
    if json is not None:
        json.write_text(result.json(), encoding="utf-8")
    if csv is not None:
        from gridloom.bench.export import csv_text  # noqa: PLC0415

        csv.write_text(csv_text(result), encoding="utf-8")
    if html is not None:
        from gridloom.bench.report import render  # noqa: PLC0415

        html.write_text(render(result, section(result), title), encoding="utf-8")


def _exit_if_marked(result: BenchmarkResult) -> None:
    if any(each.marked for each in result.rounds):
        raise typer.Exit(1)


def _arguments(texts: list[str]) -> dict[str, object]:
    import yaml  # noqa: PLC0415

    from gridloom.common.documents import load_yaml  # noqa: PLC0415

    found: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"--arg {text}: expected NAME=VALUE")
        try:
            found[name] = load_yaml(value)
        except yaml.YAMLError as error:
            raise typer.BadParameter(f"--arg {text}: {error}") from error
    return found
