"""Changing single places of a JSON tree."""

import json

import pytest

from gridloom.common.protolator import BadPath, assign, remove
from gridloom.common.protolator.paths import parse_path


def tree():
    return {"groups": {"org1.example.com": {"peers": [{"port": 1}, {"port": 2}]}}, "x": None}


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a.b.c", ["a", "b", "c"]),
        ("$.a[0].b", ["a", 0, "b"]),
        (".a", ["a"]),
        ('a["org1.example.com"].b', ["a", "org1.example.com", "b"]),
        ('["say \\"hi\\""]', ['say "hi"']),
        ("a[10][2]", ["a", 10, 2]),
    ],
)
def test_a_path_names_keys_and_places(path, steps):
    assert parse_path(path) == steps


@pytest.mark.parametrize("path", ["", "$", ".", "a..b", "a[", "a[-1]", "a['b']", 'a["\\x"]', "a."])
def test_a_malformed_path_is_refused(path):
    with pytest.raises(BadPath):
        parse_path(path)


def test_a_value_is_replaced_where_it_stands():
    changed = tree()
    assign(changed, 'groups["org1.example.com"].peers[1].port', 7)
    assert changed["groups"]["org1.example.com"]["peers"] == [{"port": 1}, {"port": 7}]


def test_a_new_key_and_the_place_behind_a_list_can_be_set():
    changed = tree()
    assign(changed, "groups.new", {})
    assign(changed, 'groups["org1.example.com"].peers[2]', {"port": 3})
    assert changed["groups"]["new"] == {}
    assert len(changed["groups"]["org1.example.com"]["peers"]) == 3


def test_a_place_can_be_taken_away():
    changed = tree()
    remove(changed, 'groups["org1.example.com"].peers[0]')
    remove(changed, "x")
    assert changed == {"groups": {"org1.example.com": {"peers": [{"port": 2}]}}}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("group.a", "there is no 'group'; there is: groups, x"),
        ("x.a", "there is no 'a', only null is there"),
        ('groups["org1.example.com"].peers[3]', "there is no [3], a list of 2 is there"),
        ('groups["org1.example.com"].peers.port', "there is no 'port', a list of 2 is there"),
        ("groups[0]", "there is no [0]; there is: org1.example.com"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_is_there(path, reason):
    for change in (lambda t: assign(t, path, 1), lambda t: remove(t, path)):
        before = tree()
        with pytest.raises(BadPath) as caught:
            change(before)
        assert caught.value.reason == reason
        assert json.dumps(before) == json.dumps(tree())
