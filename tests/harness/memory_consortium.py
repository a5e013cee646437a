"""Carrying out a study by name on a ledger in memory."""

from __future__ import annotations

from gridloom.market.result import Result
from gridloom.market.studies import STUDIES

from .market_runs import MemoryConsortium, on_memory_ledger, run_of

__all__ = ["MemoryConsortium", "on_memory", "run_study"]

on_memory = on_memory_ledger


def run_study(name: str, seed: int = 1, **parameters: object) -> Result:
    """Carry out a study with these parameters."""
    return STUDIES[name].run(run_of(parameters, seed=seed))
