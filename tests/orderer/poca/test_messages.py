"""orderer/poca/messages and votes: bytes that mean what they meant, also after a crash."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.errors import MalformedMessage
from gridloom.orderer.poca import core
from gridloom.orderer.poca.messages import Submit, decode, encode
from gridloom.orderer.poca.votes import FileVotes, MemoryVotes

numbers = st.integers(0, 2**40)
ballots = st.builds(core.Ballot, numbers, st.integers(-1, 50))
candidates = st.builds(core.Candidate, st.binary(max_size=40), st.binary(max_size=40))
messages = st.one_of(
    st.builds(Submit, st.binary(max_size=40), numbers, st.booleans()),
    st.builds(core.Prepare, numbers, ballots, candidates),
    st.builds(core.Promise, numbers, ballots, ballots, st.none() | candidates),
    st.builds(core.Accept, numbers, ballots, candidates),
    st.builds(core.Accepted, numbers, ballots),
    st.builds(core.Reject, numbers, ballots),
    st.builds(core.Decided, numbers, candidates),
    st.builds(core.Ask, numbers),
)


@given(messages)
def test_a_message_is_read_as_it_was_written(message):
    assert decode(encode(message)) == message


@given(st.binary(max_size=60) | messages.map(encode), st.integers(0, 200), st.binary(max_size=3))
def test_whatever_bytes_come_they_are_a_message_or_malformed(data, place, noise):
    torn = data[: place % (len(data) + 1)] + noise + data[place % (len(data) + 1) :]
    with suppress(MalformedMessage):
        decode(torn)


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryVotes() if request.param == "memory" else FileVotes(tmp_path / "deep" / "votes")


async def test_the_last_votes_are_kept(store):
    assert store.load() is None
    for height in (3, 4):
        votes = core.Votes(
            height, core.Ballot(2, 1), core.Ballot(1, 0), core.Candidate(b"block", b"proof")
        )
        await store.save(votes)
        assert store.load() == votes


async def test_votes_in_a_file_outlive_their_store(tmp_path):
    votes = core.Votes(7, core.Ballot(1, 2))
    await FileVotes(tmp_path / "votes").save(votes)
    assert FileVotes(tmp_path / "votes").load() == votes
    (tmp_path / "votes.new").write_bytes(b"torn by a crash")
    assert FileVotes(tmp_path / "votes").load() == votes


def test_a_foreign_file_of_votes_is_named(tmp_path):
    (tmp_path / "votes").write_bytes(b'{"height": 1}')
    with pytest.raises(MalformedMessage, match="votes"):
        FileVotes(tmp_path / "votes").load()
