"""Documents from outside: every refusal is of one kind, whatever the parser itself raises."""

import pytest
import yaml

from gridloom.common.documents import load_json, load_yaml


def test_a_document_is_read():
    assert load_json(b'{"a": [1, "\xc3\xa9"]}') == load_yaml("a: [1, \u00e9]") == {"a": [1, "é"]}


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, '{"a":' * 100_000])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        load_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "a: 2026-99-99",
        "!!timestamp x",
        "!!int x",
        "!!bool 7",
        "!!python/object:x {}",
        "[" * 2000,
        "? " * 2000,
    ],
)
def test_what_is_no_yaml_is_a_yaml_error(text):
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)
