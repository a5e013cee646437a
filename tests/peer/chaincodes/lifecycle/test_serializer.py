"""Records: only changes are written, and hashes alone tell what differs."""

from hypothesis import given
from hypothesis import strategies as st

from gridloom.peer.chaincodes.lifecycle.serializer import (
    Record,
    encode_int,
    encode_text,
    metadata_matches,
    mismatches,
    read_all_metadata,
    serialize,
)
from harness.lifecycle_state import DictState


def encode(value: bytes) -> bytes:
    return b"\x12" + bytes([len(value)]) + value


FIELDS = st.dictionaries(st.sampled_from("ABCD"), st.binary(max_size=2).map(encode))
RECORDS = st.builds(Record, st.sampled_from(["One", "Two"]), FIELDS)


def stored(record: Record, state: DictState | None = None) -> DictState:
    state = state or DictState()
    serialize("ns", "x", record, state)
    return state.commit()


@given(RECORDS, RECORDS)
def test_after_serializing_only_the_new_record_remains(old: Record, new: Record) -> None:
    state = stored(new, stored(old))
    expected = {f"ns/fields/x/{field}": value for field, value in new.fields.items()}
    fields = {key: value for key, value in state.values.items() if "/fields/" in key}
    assert fields == expected


@given(RECORDS)
def test_the_same_record_again_writes_nothing(record: Record) -> None:
    state = stored(record)
    serialize("ns", "x", record, state)
    assert state.writes == {}


def test_mismatches_name_each_field_in_order() -> None:
    state = stored(Record("T", {"A": encode_int(1), "B": encode_text("b"), "C": encode_int(3)}))
    other = Record("T", {"A": encode_int(2), "B": encode_text("b"), "C": encode_int(4)})
    assert mismatches("ns", "x", other, state) == ["A", "C"]


def test_an_absent_or_differently_shaped_record_is_one_mismatch() -> None:
    record = Record("T", {"A": encode_int(1)})
    assert mismatches("ns", "x", record, DictState()) == ["T"]
    assert mismatches("ns", "x", record, stored(Record("U", record.fields))) == ["T"]
    assert mismatches("ns", "x", record, stored(Record("T", {"B": encode_int(1)}))) == ["T"]


def test_every_key_is_read_whatever_the_outcome() -> None:
    state = DictState()
    mismatches("ns", "x", Record("T", {"A": b"", "B": b""}), state)
    assert state.reads == {"ns/metadata/x", "ns/fields/x/A", "ns/fields/x/B"}


def test_metadata_alone_tells_the_kind_of_a_record() -> None:
    state = stored(Record("T", {"A": encode_int(1)}))
    assert metadata_matches("ns", "x", Record("T", {"A": b""}), state)
    assert not metadata_matches("ns", "x", Record("U", {"A": b""}), state)


def test_all_records_of_a_namespace_are_listed_by_name() -> None:
    state = stored(Record("T", {"A": encode_int(1)}))
    assert {name: m.datatype for name, m in read_all_metadata("ns", state).items()} == {"x": "T"}
