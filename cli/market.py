"""``gridloom market``: scenarios, comparisons and cases of the energy markets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from gridloom.market.result import Cell, Column, Result
    from gridloom.market.scenario import Scenario
    from gridloom.market.study import Progress

app = typer.Typer(help="Energy markets: run and compare scenarios, solve cases.")

_COMPARED = 6  # metrics on the screen

Out = Annotated[
    Path,
    typer.Option("--out", file_okay=False, help="Where the report, CSVs and summary.json go."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Instead of the scenario's own seed.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another value for a parameter, as YAML."),
]


@app.command("list", epilog="Example: gridloom market list --studies")
def list_scenarios(
    studies: Annotated[
        bool, typer.Option("--studies", help="The studies and their parameters instead.")
    ] = False,
) -> None:
    """Show the built-in scenarios, the mechanisms, or the studies a scenario file may name."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from gridloom.market.mechanisms import MECHANISMS  # noqa: PLC0415
    from gridloom.market.studies import SCENARIOS, STUDIES  # noqa: PLC0415

    console = Console()
    if studies:
        for name, study in STUDIES.items():
            console.print(f"[bold]{name}[/bold]  {study.summary}")
            for parameter, value in study.defaults.items():
                console.print(f"    {parameter}: {json.dumps(value)}", highlight=False)
        return
    scenarios = Table("scenario", "what it is", title="Scenarios", title_justify="left")
    for name, scenario in SCENARIOS.items():
        scenarios.add_row(name, scenario.title)
    mechanisms = Table(
        "mechanism", "what it is", "source", title="Mechanisms", title_justify="left"
    )
    for name, entry in MECHANISMS.items():
        mechanisms.add_row(name, entry.title, entry.source)
    console.print(scenarios)
    console.print(mechanisms)


@app.command("run", epilog="Example: gridloom market run street-mid-market --out report")
def run_scenario(
    scenario: Annotated[str, typer.Argument(help="A built-in scenario, or a YAML file.")],
    out: Out = Path("gridloom-market"),
    seed: Seed = None,
    parameters: Set = None,
) -> None:
    """Run a scenario and write its report."""
    from rich.console import Console  # noqa: PLC0415

    from gridloom.market.report import write  # noqa: PLC0415

    console = Console()
    chosen = _scenario(scenario, seed, parameters or [])
    result = _run(chosen, console)
    written = write(result, chosen, out)
    _show(result, console)
    console.print(f"\nThe whole report: {written[0]}")


@app.command(epilog="Example: gridloom market compare street-pay-as-clear street-mid-market")
def compare(
    scenarios: Annotated[list[str], typer.Argument(help="Built-in scenarios, or YAML files.")],
    out: Out = Path("gridloom-market"),
    seed: Seed = None,
    parameters: Set = None,
) -> None:
    """Run several scenarios; write each report, and one with all of them side by side."""
    from rich.console import Console  # noqa: PLC0415

    from gridloom.market.compare import combine  # noqa: PLC0415
    from gridloom.market.report import write  # noqa: PLC0415
    from gridloom.market.scenario import Scenario  # noqa: PLC0415

    console = Console()
    chosen = [_scenario(name, seed, parameters or []) for name in scenarios]
    names = [one.name for one in chosen]
    for name in names:
        if names.count(name) > 1:
            raise typer.BadParameter(f"two scenarios are called {name!r}")
    results: dict[str, Result] = {}
    for one in chosen:
        results[one.name] = _run(one, console)
        write(results[one.name], one, out / one.name)
    together = combine(results)
    whole = Scenario("compare", "compare", seed=seed or 0, parameters=_parameters(chosen))
    written = write(together, whole, out)
    _show_compared(results, console)
    console.print(f"\nThe whole report: {written[0]}")


@app.command(epilog="Example: gridloom market solve cases.json -o out.json")
def solve(
    cases: Annotated[Path, typer.Argument(help='{"cases": [{"id", "kind", "input"}, ...]}')],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; the screen by default.")
    ] = None,
) -> None:
    """Solve every case of a JSON file and write {id: output}."""
    from gridloom.common.errors import MalformedMessage  # noqa: PLC0415
    from gridloom.market.solve import solve as solve_cases  # noqa: PLC0415

    try:
        content = json.loads(cases.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MalformedMessage(str(cases), f"not JSON: {error}") from error
    text = json.dumps(solve_cases(content), indent=1)
    if output is None:
        typer.echo(text)
    else:
        output.write_text(text + "\n")


def _scenario(name: str, seed: int | None, changes: list[str]) -> Scenario:
    """A built-in scenario or a file's, with what the command line changes."""
    import yaml  # noqa: PLC0415

    from gridloom.market.scenario import read_scenario  # noqa: PLC0415
    from gridloom.market.studies import SCENARIOS  # noqa: PLC0415

    if name in SCENARIOS:
        scenario = SCENARIOS[name]
    elif name.endswith((".yaml", ".yml")) or Path(name).exists():
        scenario = read_scenario(Path(name))
    else:
        raise typer.BadParameter(
            f"{name!r} is neither a YAML file nor one of {', '.join(sorted(SCENARIOS))}"
        )
    parameters = dict(scenario.parameters)
    for change in changes:
        parameter, sign, value = change.partition("=")
        if not sign:
            raise typer.BadParameter(f"--set {change!r} is not NAME=VALUE")
        try:
            _put(parameters, parameter.split("."), yaml.safe_load(value))
        except yaml.YAMLError as error:
            raise typer.BadParameter(f"--set {change!r}: {error}") from error
    return replace(scenario, seed=scenario.seed if seed is None else seed, parameters=parameters)


def _put(parameters: dict[str, object], path: list[str], value: object) -> None:
    """Set the value of a dotted path, in copies of what lies on the way."""
    first, *rest = path
    if not rest:
        parameters[first] = value
        return
    inner = parameters.get(first)
    copied = dict(inner) if isinstance(inner, Mapping) else {}
    _put(copied, rest, value)
    parameters[first] = copied


def _parameters(scenarios: list[Scenario]) -> dict[str, object]:
    return {
        one.name: {"study": one.study, "seed": one.seed, "parameters": dict(one.parameters)}
        for one in scenarios
    }


def _run(scenario: Scenario, console: Console) -> Result:
    from gridloom.market.cases import Fields  # noqa: PLC0415
    from gridloom.market.errors import ScenarioError  # noqa: PLC0415
    from gridloom.market.studies import STUDIES  # noqa: PLC0415
    from gridloom.market.study import Run  # noqa: PLC0415

    from .market_network import on_ledger  # noqa: PLC0415

    if scenario.study not in STUDIES:
        reason = f"{scenario.study!r} is none of {', '.join(sorted(STUDIES))}"
        raise ScenarioError(scenario.name, "study", reason)
    fields = Fields(scenario.name, scenario.parameters, ScenarioError)
    with _progress(scenario.name, console) as progress:
        run = Run(fields, scenario.seed, progress, on_ledger, scenario.folder)
        result = STUDIES[scenario.study].run(run)
    return replace(result, parameters=result.parameters or scenario.parameters)


@contextmanager
def _progress(name: str, console: Console) -> Iterator[Progress]:
    """A bar with the estimated time of what is being done."""
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:44}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        tasks = {"": bar.add_task(name, total=None)}

        def progress(what: str, done: int, total: int) -> None:
            if total <= 1:
                bar.update(tasks[""], description=f"{name}: {what}")
                return
            if what not in tasks:
                tasks[what] = bar.add_task(f"{name}: {what}", total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress


def _show(result: Result, console: Console) -> None:
    """Print the metrics, and what was measured."""
    from gridloom.market.result import Column  # noqa: PLC0415

    rows = [[one.name, one.value, one.unit, one.meaning] for one in result.metrics]
    columns = tuple(map(Column, ("metric", "value", "unit", "meaning")))
    console.print(f"[bold]{result.title}[/bold]")
    _print_table(columns, rows, console)
    for remark in result.remarks:
        console.print(remark, highlight=False)
    for name, value in result.measured.items():
        console.print(f"  {name}: {json.dumps(value)}", highlight=False)


def _show_compared(results: Mapping[str, Result], console: Console) -> None:
    """A row for each scenario, of the metrics that fit on a screen."""
    from gridloom.market.result import Column  # noqa: PLC0415

    names = list(dict.fromkeys(one.name for result in results.values() for one in result.metrics))
    shown = names[:_COMPARED]
    rows: list[list[Cell]] = []
    for scenario, result in results.items():
        values = {one.name: one.value for one in result.metrics}
        rows.append([scenario, *(values.get(name) for name in shown)])
    _print_table(tuple(map(Column, ("scenario", *shown))), rows, console)
    if len(names) > len(shown):
        console.print(f"{len(names) - len(shown)} more metrics: metrics.csv", highlight=False)


def _print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], console: Console
) -> None:
    from rich.table import Table  # noqa: PLC0415

    table = Table()
    for place, column in enumerate(columns):
        table.add_column(column.name.replace("_", " "), no_wrap=place == 0)
    for row in rows:
        table.add_row(*(_shown(cell) for cell, _ in zip(row, columns, strict=False)))
    console.print(table)


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    return f"{cell:.5g}" if isinstance(cell, float) else str(cell)
