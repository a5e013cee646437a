"""etcd's own recorded traces: the same commands must give the same text, to the letter.

    pytest tests/orderer/raft --traces DIR

judges by the scripts of another folder, laid out as ../shared/raft.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.datadriven import Command, run_script, stanzas
from harness.raft_interaction import InteractionEnv
from harness.raft_scripts import MembershipScript, run_quorum
from harness.shared import SHARED


def scripts(config: pytest.Config) -> list[Path]:
    folder = Path(config.getoption("--traces") or SHARED / "raft")
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in ("", ".txt"))


def handler(script: Path) -> Callable[[Command], str]:
    """What runs the commands of a script, by the first of them."""
    first = next(stanzas(script.read_text(encoding="utf-8"))).command
    if first.name in ("committed", "vote"):
        return run_quorum
    if first.name in ("simple", "enter-joint", "leave-joint"):
        return MembershipScript().run
    return InteractionEnv().handle


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "script" in metafunc.fixturenames:
        found = scripts(metafunc.config)
        metafunc.parametrize(
            "script", found, ids=[f"{p.parent.parent.name}-{p.stem}" for p in found]
        )


def test_a_trace_is_etcds(script: Path) -> None:
    run_script(script, handler(script), rewrite=False)


def test_there_are_traces(pytestconfig: pytest.Config) -> None:
    assert scripts(pytestconfig)
