"""Committed definitions are read once, and again when a block has changed the lifecycle's state."""

from types import SimpleNamespace

from gridloom.peer.chaincodes.lifecycle.committed import CommittedDefinitions
from gridloom.peer.chaincodes.lifecycle.definitions import (
    NAMESPACES,
    ChaincodeDefinition,
    ChaincodeDefinitions,
)
from gridloom.peer.chaincodes.lifecycle.serializer import serialize
from harness.lifecycle_state import DictState


class FakeLedger:
    """State that changes in blocks."""

    def __init__(self) -> None:
        self.state = DictState()
        self.changed = 0
        self.reads = 0

    def define(self, version: str) -> None:
        definition = ChaincodeDefinition(int(version), version)
        serialize(NAMESPACES, "cc", definition.as_record(), self.state)
        self.state = self.state.commit()
        self.changed += 1

    def changed_at(self, namespace: str) -> int:
        assert namespace == "_lifecycle"
        return self.changed

    def query_executor(self) -> SimpleNamespace:
        self.reads += 1
        state = self.state
        return SimpleNamespace(get_state=lambda _, key: state.get_state(key), done=lambda: None)


def test_a_definition_holds_until_a_block_changes_the_lifecycle() -> None:
    ledger = FakeLedger()
    committed = CommittedDefinitions(ChaincodeDefinitions(), ledger)
    ledger.define("1")
    assert [committed.definition("cc").version for _ in range(3)] == ["1"] * 3
    assert ledger.reads == 1
    ledger.define("2")
    assert committed.definition("cc").version == "2"
    assert ledger.reads == 2


def test_whoever_has_the_state_open_lends_it() -> None:
    ledger = FakeLedger()
    committed = CommittedDefinitions(ChaincodeDefinitions(), ledger)
    ledger.define("1")
    assert committed.definition("cc", ledger.query_executor()).version == "1"
    assert committed.definition("cc").version == "1"
    assert ledger.reads == 1


def test_a_name_that_nobody_defined_is_looked_up_each_time() -> None:
    ledger = FakeLedger()
    committed = CommittedDefinitions(ChaincodeDefinitions(), ledger)
    assert [committed.definition("none") for _ in range(2)] == [None, None]
    assert ledger.reads == 2
