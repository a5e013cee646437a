"""State entries as Fabric's SnapshotRecord."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.errors import MalformedMessage
from gridloom.peer.ledger.snapshots.record import decode_record, encode_record
from gridloom.peer.ledger.state_db import Version, VersionedValue

VERSIONS = st.builds(Version, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
ENTRIES = st.builds(VersionedValue, st.binary(), VERSIONS, st.binary())


def test_the_bytes_are_fabrics():
    entry = VersionedValue(b"1", Version(53, 0), b"m")
    assert (
        encode_record(b"d1", entry) == b"\n\x02d1" + b"\x12\x011" + b"\x1a\x01m" + b'"\x03\x015\x00'
    )


@given(key=st.binary(max_size=300), entry=ENTRIES)
def test_an_entry_comes_back(key, entry):
    assert decode_record(encode_record(key, entry)) == (key, entry)


@given(data=st.binary(max_size=60))
def test_bytes_from_elsewhere_never_raise_anything_else(data):
    with suppress(MalformedMessage):
        decode_record(data)


def test_unknown_fields_are_skipped_and_the_last_of_a_field_counts():
    unknown = b"\x2a\x01x" + b"\x30\x96\x01" + b"\x39" + bytes(8) + b"\x45" + bytes(4)
    known = encode_record(b"old", VersionedValue(b"v", Version(1, 2)))
    assert decode_record(unknown + known + b"\x0a\x03new") == (
        b"new",
        VersionedValue(b"v", Version(1, 2)),
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",  # no version
        b"\x0a\x05ab",  # cut off
        b"\x0a",
        b"\x08\x01",  # the key as a number
        b"\x00\x01",  # field 0
        b"\x2b",  # a group
        b"\x22\x02\x01\x05",  # a version of one number
        b"\x22\x04\x01\x05\x00\x00",  # of three
        b"\x22\x02\x09\x00",  # a number of nine bytes
        b"\x22" + b"\xff" * 11,
    ],
)
def test_what_is_no_record_is_refused(data):
    with pytest.raises(MalformedMessage):
        decode_record(data)
