"""The block cutter: Fabric's cases as scripts, and everything else against a naive model."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.orderer.block_cutter import BlockCutter, message_size
from gridloom.protos.common.common_pb2 import Envelope
from harness.datadriven import Command, run_script

SCRIPTS = sorted((Path(__file__).parent.parent / "data" / "orderer").glob("block_cutter*.txt"))


@dataclass(frozen=True)
class Limits:
    max_message_count: int
    preferred_max_bytes: int


def message(name: str, size: int) -> Envelope:
    """An envelope of that size whose signature starts with its name, if there is room."""
    return Envelope(signature=name.encode()[:size].ljust(size, b"."))


class Script:
    def __init__(self) -> None:
        self.cutter = BlockCutter()
        self.names: dict[int, str] = {}
        self.limits = Limits(10, 1000)

    def handle(self, command: Command) -> str:
        match command.name:
            case "limits":
                self.limits = Limits(*(int(command.args[k][0]) for k in ("count", "preferred")))
                return "ok"
            case "ordered":
                lines = [self.ordered(name, int(size)) for name, [size] in command.args.items()]
                return "\n".join(lines)
            case "cut":
                return self.batch(self.cutter.cut())
        raise ValueError(command.name)

    def ordered(self, name: str, size: int) -> str:
        envelope = message(name, size)
        self.names[id(envelope)] = name
        batches = self.cutter.ordered(envelope, self.limits)
        parts = [f"cut {' '.join(map(self.batch, batches))}"] if batches else []
        parts += ["pending"] if self.cutter.pending else []
        return f"{name}: {', '.join(parts)}"

    def batch(self, batch: list[Envelope]) -> str:
        return f"[{' '.join(self.names[id(envelope)] for envelope in batch)}]"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_script_cuts_as_written(path, rewrite) -> None:
    run_script(path, Script().handle, rewrite=rewrite)


def naive(sizes: list[int], limits: Limits) -> list[list[int]]:
    """All batches of a whole stream, cut by looking at it from outside."""
    batches: list[list[int]] = [[]]
    for index, size in enumerate(sizes):
        current = batches[-1]
        alone = size > limits.preferred_max_bytes
        full = sum(sizes[i] for i in current) + size > limits.preferred_max_bytes
        if current and (alone or full):
            batches.append([])
        batches[-1].append(index)
        if alone or len(batches[-1]) >= limits.max_message_count:
            batches.append([])
    return batches


@given(
    sizes=st.lists(st.integers(0, 60), max_size=60),
    limits=st.builds(Limits, st.integers(1, 8), st.integers(1, 50)),
)
def test_any_stream_is_cut_as_the_naive_model_cuts_it(sizes, limits) -> None:
    cutter = BlockCutter()
    stream = [message(str(index), size) for index, size in enumerate(sizes)]
    batches = []
    for envelope in stream:
        ended = cutter.ordered(envelope, limits)
        assert len(ended) <= 2
        assert all(ended)
        batches += ended
    assert cutter.pending == bool(naive(sizes, limits)[-1])
    batches.append(cutter.cut())
    assert not cutter.pending
    expected = [[stream[index] for index in batch] for batch in naive(sizes, limits)]
    assert [list(map(id, batch)) for batch in batches] == [list(map(id, b)) for b in expected]
    for batch in batches:
        assert len(batch) <= limits.max_message_count
        assert len(batch) == 1 or sum(map(message_size, batch)) <= limits.preferred_max_bytes


def test_payload_and_signature_count_but_not_protobufs_framing() -> None:
    assert message_size(Envelope(payload=b"12345", signature=b"678")) == 8
