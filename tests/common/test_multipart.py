"""Forms with files in them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.multipart import MAX_PARTS, MalformedForm, Part, read_form, write_form

names = st.from_regex(r"[a-z][a-z-]{0,9}", fullmatch=True)
parts = st.builds(Part, names, st.none() | names, st.binary(max_size=50))


@given(st.lists(parts, max_size=4))
def test_what_is_written_is_read_again(form):
    assert list(read_form(*write_form(form))) == form


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"\r\n\r\n--", b"--x", b"\n--b--\n", bytes(range(256)), b"\r"]
)
def test_no_byte_of_a_file_is_touched(content):
    (part,) = read_form(*write_form([Part("file", "name", content)]))
    assert part.content == content


def test_the_form_of_the_official_client_is_read():
    body = (
        b"--b1f0\r\n"
        b'Content-Disposition: form-data; name="config-block"; filename="config.block"\r\n'
        b"Content-Type: application/octet-stream\r\n"
        b"\r\n"
        b"\x0a\x00\xff\r\n"
        b"--b1f0--\r\n"
    )
    assert read_form("multipart/form-data; boundary=b1f0", body) == [
        Part("config-block", "config.block", b"\x0a\x00\xff")
    ]


def test_what_stands_around_the_form_is_ignored():
    body = b"before\r\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\nafter"
    assert read_form('multipart/form-data; boundary="b"', body) == [Part("a", None, b"1")]


def test_a_part_without_a_header_has_no_name():
    assert read_form("multipart/form-data; boundary=b", b"--b\r\n\r\n1\r\n--b--") == [
        Part("", None, b"1")
    ]


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("multipart/form-data", b"", "boundary is empty"),
        ("multipart/form-data; boundary=", b"", "boundary is empty"),
        ("multipart/form-data; boundary=b", b"", "NextPart: EOF"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nno end", "NextPart: EOF"),
        ("multipart/form-data; boundary=b", b"--bad\r\n\r\n--b--", "something behind it"),
        ("multipart/form-data; boundary=b", b"--b\r\nA: b\r\n--b--", "header has no end"),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\n\r\n\r\n" * (MAX_PARTS + 2) + b"--b--",
            "too many parts",
        ),
    ],
)
def test_what_is_no_form_is_refused(content_type, body, reason):
    with pytest.raises(MalformedForm, match=reason):
        read_form(content_type, body)


@given(st.binary(max_size=60), st.text(max_size=20))
def test_garbage_is_an_error_or_a_form_never_a_crash(body, boundary):
    for content_type, form in (
        (f"x/y; boundary={boundary}", body),
        ("x/y; boundary=b", b"--b" + body),
    ):
        with suppress(MalformedForm):
            read_form(content_type, form)
