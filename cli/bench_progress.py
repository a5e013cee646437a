"""What a person sees while a benchmark runs: the step, then the round under way, each second.

On a terminal the last line is written over; elsewhere a line is printed now and then.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

import typer

if TYPE_CHECKING:
    from gridloom.bench.result import RoundResult
    from gridloom.bench.rounds import Round
    from gridloom.bench.session import Listener

_QUIET = 5.0
"""Seconds between two lines where nothing can be written over."""

_WIDTH = 78


class LiveProgress:
    """Prints on standard error what the listener is told."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._printed = 0.0
        self._round: Round | None = None
        self._last = (0.0, 0)
        self._started = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    @property
    def listener(self) -> Listener:
        """What a session tells."""
        from gridloom.bench.session import Listener  # noqa: PLC0415

        return Listener(self._step, self._progress, self._done)

    def _step(self, text: str) -> None:
        self._clear()
        typer.echo(f"  {text}", err=True)

    def _progress(self, round_: Round, succeeded: int, failed: int) -> None:
        now = time.monotonic()
        if round_ is not self._round:
            self._round, self._started, self._last = round_, now, (now, 0)
        before, earlier = self._last
        tps = (succeeded - earlier) / (now - before) if now > before else 0.0
        if now - self._printed < (0.4 if self._terminal else _QUIET):
            return
        self._printed, self._last = now, (now, succeeded)
        text = (
            f"  {round_.name}: {now - self._started:.0f} s, {tps:,.0f} tps, "
            f"{succeeded:,} succeeded, {failed:,} failed"
        )
        if self._terminal:
            typer.echo("\r" + text[:_WIDTH].ljust(_WIDTH), nl=False, err=True)
        else:
            typer.echo(text, err=True)

    def _done(self, result: RoundResult) -> None:
        self._clear()
        typer.echo(f"  {result.name}: {result.error or f'{result.tps:,.0f} tps'}", err=True)

    def _clear(self) -> None:
        if self._terminal:
            typer.echo("\r" + " " * _WIDTH + "\r", nl=False, err=True)
