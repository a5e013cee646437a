"""Composite keys: one key from parts, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.chaincode.composite_keys import (
    create_composite_key,
    partial_key_range,
    simple_key_range,
    split_composite_key,
)
from gridloom.chaincode.errors import InvalidKey

parts = st.text(
    st.characters(exclude_characters="\0\U0010ffff", exclude_categories=["Cs"]), max_size=8
)


def test_a_composite_key_is_the_parts_between_null_characters():
    assert create_composite_key("order", ["org1", "7"]) == "\0order\0org1\x007\0"
    assert create_composite_key("order", []) == "\0order\0"
    assert split_composite_key("\0order\0org1\x007\0") == ("order", ["org1", "7"])


@given(parts, st.lists(parts, max_size=4))
def test_splitting_gives_the_parts_back(object_type, attributes):
    key = create_composite_key(object_type, attributes)
    assert split_composite_key(key) == (object_type, attributes)


@given(parts, st.lists(parts, max_size=3), st.lists(parts, max_size=2))
def test_a_partial_range_holds_the_keys_that_begin_with_its_parts(object_type, first, more):
    start, end = (key.encode() for key in partial_key_range(object_type, first))
    assert start <= create_composite_key(object_type, [*first, *more]).encode() < end
    other = create_composite_key(object_type + "x", [*first, *more]).encode()
    assert not start <= other < end


@pytest.mark.parametrize("part", ["a\0b", "\U0010ffff", "\ud800"])
def test_separators_and_what_is_not_utf8_cannot_be_part_of_a_key(part):
    with pytest.raises(InvalidKey):
        create_composite_key("order", [part])
    with pytest.raises(InvalidKey):
        create_composite_key(part, [])


def test_the_position_of_a_character_that_is_not_allowed_is_named():
    with pytest.raises(InvalidKey, match=r"U\+0000 starting at position \[1\]"):
        create_composite_key("order", ["a\0b"])


def test_one_text_is_not_a_list_of_attributes():
    with pytest.raises(InvalidKey, match="must be a list of str"):
        create_composite_key("order", "org1")
    with pytest.raises(InvalidKey, match="must be str, got 7"):
        create_composite_key("order", [7])  # type: ignore[list-item]


@pytest.mark.parametrize("key", ["", "\0", "order", "\0order", "order\0"])
def test_only_composite_keys_can_be_split(key):
    with pytest.raises(InvalidKey, match="not a composite key"):
        split_composite_key(key)


def test_an_open_range_of_simple_keys_begins_after_the_composite_ones():
    assert simple_key_range("", "") == ("\x01", "")
    with pytest.raises(InvalidKey, match="null character"):
        simple_key_range("\0order\0", "")
