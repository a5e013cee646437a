"""The options of ``gridloom bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RoundsFile = Annotated[
    Path | None, typer.Argument(help="A benchmark in YAML; without it --workload is run.")
]
ExistingNetwork = Annotated[
    Path | None,
    typer.Option(
        "--network",
        help="A connection profile, or the folder of a running network; without it the default "
        "network is started for the run and taken down.",
    ),
]
WorkloadName = Annotated[
    str, typer.Option("--workload", help="A name of `bench list`, or a Python file.")
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", min=1, help="Transactions under way (64).")
]
Rate = Annotated[
    float | None, typer.Option("--rate", min=0.001, help="Starts a second (open loop).")
]
Saturation = Annotated[
    bool,
    typer.Option("--saturation", help="Search the highest rate sustained, then run at half of it."),
]
Duration = Annotated[float, typer.Option("--duration", min=0.1, help="Seconds of each round.")]
WarmUp = Annotated[float, typer.Option("--warmup", min=0, help="Seconds not measured.")]
Retries = Annotated[int, typer.Option("--retries", min=0, help="Of MVCC conflicts.")]
Arguments = Annotated[list[str] | None, typer.Option("--arg", help="NAME=VALUE for the workload.")]
Workers = Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that make load.")]
WorkersOfRounds = Annotated[
    int | None, typer.Option("--workers", min=1, max=64, help="Processes that make load (1).")
]
Processes = Annotated[
    bool, typer.Option("--processes", help="Start the network with a process for each node.")
]
Channel = Annotated[str, typer.Option("--channel", "-C", help="With --network.")]
MspFolder = Annotated[
    Path | None, typer.Option("--msp", help="With a profile: the user's MSP folder.")
]
OrdererAddress = Annotated[str, typer.Option("--orderer", help="With a profile: host:port.")]
OrdererCa = Annotated[Path | None, typer.Option("--orderer-ca", help="Its TLS CA.")]
OrdererName = Annotated[
    str, typer.Option("--orderer-name", help="The name in its TLS certificate.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of the workloads' choices.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write a line for each round.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a report with plots, one file.")]
