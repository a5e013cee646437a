"""``gridloom ledger``: auditing ledgers, one's own and those of real Fabric networks."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import snapshot as snapshot_commands
from .explain import explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from gridloom.peer.audit import AuditReport, BlockVerdict

SHOWN_DIFFERENCES = 20
SECONDS_BETWEEN_LINES = 5.0

app = typer.Typer(
    help="Audit ledgers, take snapshots of them, explain queries.", no_args_is_help=True
)
app.add_typer(snapshot_commands.app, name="snapshot")
app.command(epilog='Example: gridloom ledger explain basic \'{"selector":{"Owner":"Tom"}}\'')(
    explain
)


@app.callback()
def group() -> None:
    """Audit ledgers, take snapshots of them, explain queries."""


@app.command(epilog="Example: gridloom ledger verify ./blocks --json report.json")
def verify(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="A folder or files: one common.Block each, blockfile_*, or a peer's ledger.db.",
        ),
    ],
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Write the report to this file (- is stdout)."),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--snapshot",
            exists=True,
            file_okay=False,
            help="Begin with this ledger snapshot instead of a genesis block.",
        ),
    ] = None,
    state_database: Annotated[
        str,
        typer.Option(help="The peers' own, goleveldb or CouchDB: CouchDB refuses some writes."),
    ] = "goleveldb",
) -> None:
    """Validate a channel's blocks as a peer would, and compare with what is recorded in them.

    Every validation code and commit hash is computed anew from the genesis block (or a
    snapshot) on; whatever is wrong in a block is said and the next one follows. Status 1 if
    anything differs.
    """
    from gridloom.peer.audit import BlockSources, NoBlocks, audit  # noqa: PLC0415
    from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot  # noqa: PLC0415
    from gridloom.peer.ledger.state_database import StateDatabase  # noqa: PLC0415

    # Each refusal of a transaction is part of the report; the log would say it again.
    logging.getLogger("gridloom.peer").setLevel(logging.ERROR)
    try:
        rules = StateDatabase.named(state_database)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--state-database") from error
    try:
        sources = BlockSources(paths)
    except NoBlocks as error:
        raise typer.BadParameter(str(error), param_hint="PATH") from error
    with _progress() as progress:
        snapshot = None if start is None else StoredSnapshot.open(start)
        report = audit(sources, progress, snapshot=snapshot, state_database=rules)
    if json_file is not None:
        text = json.dumps(report.to_json(), indent=1)
        if str(json_file) == "-":
            typer.echo(text)
        else:
            json_file.write_text(text + "\n", encoding="utf-8")
    _show(report, to_stderr=str(json_file) == "-")
    if report.differences:
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[BlockVerdict, int], None]]:
    """A bar on standard error if that is a terminal, else a line every few seconds."""
    if not sys.stderr.isatty():
        yield _line_by_line()
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("blocks", total=None)

        def advance(_: BlockVerdict, total: int) -> None:
            bar.update(task, total=total, advance=1)

        yield advance


def _line_by_line() -> Callable[[BlockVerdict, int], None]:
    said = time.monotonic()

    def advance(block: BlockVerdict, total: int) -> None:
        nonlocal said
        if time.monotonic() - said > SECONDS_BETWEEN_LINES:
            typer.echo(f"block {block.number} ({total} in all)", err=True)
            said = time.monotonic()

    return advance


def _show(report: AuditReport, *, to_stderr: bool) -> None:
    """Print the summary: what was checked, the codes, the remarks, and what differs."""

    def say(line: str = "") -> None:
        typer.echo(line, err=to_stderr)

    numbers = [block.number for block in report.blocks if block.number is not None]
    span = f"{min(numbers)} to {max(numbers)}" if numbers else "none readable"
    transactions = sum(len(block.transactions) for block in report.blocks)
    say(f"channel {report.channel_id or '?'}: {len(report.blocks)} blocks ({span})")
    say(f"{transactions} transactions")
    say()
    for line in _checks(report):
        say(line)
    say()
    for line in _codes(report):
        say(line)
    if report.remarks:
        say()
        for remark in report.remarks:
            say(f"note: {remark}")
    say()
    if not report.differences:
        say("no differences")
        return
    say(f"first difference: {report.differences[0]}")
    for difference in report.differences[1:SHOWN_DIFFERENCES]:
        say(f"                  {difference}")
    more = len(report.differences) - SHOWN_DIFFERENCES
    if more > 0:
        say(f"                  and {more} more (--json has them all)")
    count = len(report.differences)
    say(f"{count} difference{'s' if count > 1 else ''}")


def _checks(report: AuditReport) -> Iterator[str]:
    """A row for each check of blocks: how often it held, failed, or could not be made."""
    yield f"  {'':20}{'ok':>8}{'wrong':>8}{'unknown':>9}"
    results: dict[str, list[bool | None]] = {
        "data hash": [block.data_hash_ok for block in report.blocks],
        "chain": [block.chain_ok for block in report.blocks],
        "orderer signatures": [block.orderer_signatures_ok for block in report.blocks],
        "commit hash": [_same_commit_hash(block) for block in report.blocks if block.number],
    }
    for name, outcomes in results.items():
        held = Counter(outcomes)
        yield f"  {name:20}{held[True]:8}{held[False]:8}{held[None]:9}"


def _same_commit_hash(block: BlockVerdict) -> bool | None:
    if block.commit_hash is None or block.recorded_commit_hash is None:
        return None
    return block.commit_hash == block.recorded_commit_hash


def _codes(report: AuditReport) -> Iterator[str]:
    """A row for each validation code: how many transactions have it, computed and recorded."""
    from gridloom.peer.audit.verdicts import code_name  # noqa: PLC0415

    computed = Counter(transaction.code for transaction in report.transactions())
    recorded = Counter(transaction.recorded_code for transaction in report.transactions())
    yield f"  {'validation code':32}{'computed':>10}{'recorded':>10}"
    for code in sorted(computed.keys() | recorded.keys(), key=lambda c: (c is None, c or 0)):
        name = code_name(code) or "(none)"
        yield f"  {name:32}{computed[code]:10}{recorded[code]:10}"
