"""Durations in Go's text form."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.channel.durations import (
    InvalidDuration,
    duration_nanoseconds,
    parse_duration,
    render_duration,
)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("2s", 2 * 10**9),
        ("+2s", 2 * 10**9),
        ("-1.5s", -1_500_000_000),
        ("1h2m3.5s", 3723 * 10**9 + 500_000_000),
        ("500ms", 500_000_000),
        (".5s", 500_000_000),
        ("1.s", 10**9),
        ("3us", 3000),
        ("3µs", 3000),
        ("3μs", 3000),
        ("7ns", 7),
        ("1m1m", 120 * 10**9),
        ("9223372036854775807ns", 2**63 - 1),
        ("-9223372036854775808ns", -(2**63)),
    ],
)
def test_go_durations_parse(text, nanoseconds):
    assert duration_nanoseconds(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    ["", "-", "+", "2", "s", ".s", "2 s", " 2s", "2S", "2s ", "1e3s", "--1s", "-+1s", "2x", "½s",
     "9223372036854775808ns", "99999999999h", "٢s",
     "9" * 5000 + "s", "0." + "9" * 5000 + "s"],
)  # fmt: skip
def test_what_go_refuses_is_refused(text):
    with pytest.raises(InvalidDuration):
        duration_nanoseconds(text)


def test_what_is_below_a_microsecond_stays_positive():
    assert parse_duration("1ns") == timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (2, "2s"),
        (1.5, "1.5s"),
        (0.5, "500ms"),
        (0.0015, "1.5ms"),
        (0.000003, "3µs"),
        (90, "1m30s"),
        (3600, "1h0m0s"),
        (-90, "-1m30s"),
        (360000.25, "100h0m0.25s"),
    ],
)
def test_durations_render_as_go_renders_them(seconds, text):
    assert render_duration(timedelta(seconds=seconds)) == text


@given(st.timedeltas(timedelta(days=-10000), timedelta(days=10000)))
def test_a_rendered_duration_parses_back(duration):
    assert parse_duration(render_duration(duration)) == duration
