"""Taking frames out of bytes that arrive in any pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.rpc.http2 import frames
from gridloom.common.rpc.http2.frames import ErrorCode, FrameReader, Http2Error

FRAMES = st.lists(
    st.tuples(
        st.integers(0, 255),
        st.integers(0, 255),
        st.integers(0, frames.LAST_STREAM),
        st.binary(max_size=40),
    ),
    max_size=6,
)


def read(reader: FrameReader, pieces: list[bytes]) -> list[frames.Frame]:
    return [one for piece in pieces for one in reader.feed(piece)]


@given(FRAMES, st.integers(1, 30))
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    sent: list[frames.Frame], piece: int
) -> None:
    data = b"".join(frames.frame(*one) for one in sent)
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    assert read(FrameReader(100), pieces) == sent


def test_the_reserved_bit_of_a_stream_is_ignored() -> None:
    data = bytes((0, 0, 0, frames.PING, 0, 0x80, 0, 0, 7))
    assert read(FrameReader(10), [data]) == [(frames.PING, 0, 7, b"")]


def test_a_frame_that_is_too_large_is_refused_at_its_head() -> None:
    with pytest.raises(Http2Error, match="101 bytes") as caught:
        read(FrameReader(100), [frames.frame(frames.DATA, 0, 1, bytes(101))[:9]])
    assert caught.value.code is ErrorCode.FRAME_SIZE_ERROR
