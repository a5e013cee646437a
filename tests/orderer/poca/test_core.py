"""orderer/poca/core: agreement under lost, repeated and reordered messages, and crashes."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.orderer.poca.core import (
    Accept,
    Accepted,
    Ask,
    Ballot,
    Candidate,
    Core,
    Decide,
    Decided,
    Prepare,
    Promise,
    Reject,
    Save,
    Send,
    SendDecided,
    Votes,
)


def candidate(name: str) -> Candidate:
    return Candidate(name.encode(), b"proof")


def is_good(offered: Candidate) -> bool:
    return offered.proof == b"proof"


def core(own: int, count: int = 3, votes: Votes | None = None) -> Core:
    return Core(own, count, votes or Votes(1), is_good)


def sent(effects, to):
    return [e.message for e in effects if isinstance(e, Send) and e.to == to]


def test_who_is_alone_decides_at_once():
    effects = core(0, 1).propose(candidate("a"))
    assert [type(effect) for effect in effects] == [Save, Save, Decide]


def test_a_majority_lets_a_candidate_be_decided():
    one, two = core(0), core(1)
    (prepare,) = sent(one.propose(candidate("a")), 1)
    (promise,) = sent(two.receive(0, prepare), 0)
    (accept,) = sent(one.receive(1, promise), 1)
    (accepted,) = sent(two.receive(0, accept), 0)
    effects = one.receive(1, accepted)
    assert effects[-1] == Decide(candidate("a"))
    (decided,) = sent(effects, 2)
    assert core(2).receive(0, decided) == [Decide(candidate("a"))]


def test_without_a_good_proof_there_is_no_promise_no_acceptance_no_decision():
    forged = Candidate(b"a", b"forged")
    voter = core(1)
    assert voter.receive(0, Prepare(1, Ballot(1, 0), forged)) == []
    assert voter.receive(0, Accept(1, Ballot(1, 0), forged)) == []
    assert voter.receive(0, Decided(1, forged)) == []


def test_nobody_asks_in_anothers_name():
    voter = core(1)
    assert voter.receive(2, Prepare(1, Ballot(1, 0), candidate("a"))) == []
    assert voter.receive(2, Accept(1, Ballot(1, 0), candidate("a"))) == []


def test_an_earlier_ballot_is_rejected_and_learns_of_the_later():
    voter = core(1)
    voter.receive(2, Prepare(1, Ballot(2, 2), candidate("b")))
    late = Prepare(1, Ballot(1, 0), candidate("a"))
    assert voter.receive(0, late) == [Send(0, Reject(1, Ballot(2, 2)))]
    behind = core(0)
    behind.propose(candidate("a"))
    behind.receive(1, Reject(1, Ballot(2, 2)))
    assert not behind.attempting
    (prepare,) = sent(behind.propose(candidate("a")), 1)
    assert prepare.ballot == Ballot(3, 0)


def test_what_may_have_been_accepted_before_is_proposed_again():
    proposer = core(0)
    proposer.propose(candidate("mine"))
    promise = Promise(1, Ballot(1, 0), Ballot(0, 2), candidate("theirs"))
    (accept,) = sent(proposer.receive(1, promise), 2)
    assert accept.candidate == candidate("theirs")


def test_votes_survive_a_restart():
    voter = core(1)
    effects = voter.receive(2, Prepare(1, Ballot(2, 2), candidate("b")))
    (saved,) = [effect.votes for effect in effects if isinstance(effect, Save)]
    again = core(1, votes=saved)
    assert again.promised_to_other
    late = Prepare(1, Ballot(1, 0), candidate("a"))
    assert again.receive(0, late) == [Send(0, Reject(1, Ballot(2, 2)))]


def test_who_is_behind_asks_and_who_is_ahead_answers():
    behind, ahead = core(0), core(1, votes=Votes(4))
    assert behind.receive(1, Accepted(4, Ballot(1, 1))) == [Send(1, Ask(1))]
    assert ahead.receive(0, Ask(1)) == [SendDecided(0, 1)]
    assert ahead.receive(0, Ask(4)) == []
    assert behind.receive(1, Ask(4)) == []


def test_a_right_that_is_not_used_is_doubted():
    voter = core(1)
    voter.receive(2, Prepare(1, Ballot(2, 2), candidate("b")))
    assert voter.promised_to_other
    voter.doubt()
    assert not voter.promised_to_other
    (prepare,) = sent(voter.propose(candidate("c")), 0)
    assert prepare.ballot == Ballot(3, 1)


class Cluster:
    """Cores with a network that does as the schedule says; stored votes survive crashes."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.stored = [Votes(1)] * count
        self.cores = [core(n, count) for n in range(count)]
        self.network: deque[tuple[int, int, object]] = deque()
        self.decided: list[set[bytes]] = [set() for _ in range(count)]

    def carry_out(self, node, effects):
        for effect in effects:
            if isinstance(effect, Save):
                self.stored[node] = effect.votes
            elif isinstance(effect, Send):
                self.network.append((node, effect.to, effect.message))
            elif isinstance(effect, Decide):
                self.decided[node].add(effect.candidate.block)

    def propose(self, node):
        self.carry_out(node, self.cores[node].propose(candidate(f"block of {node}")))

    def crash(self, node):
        self.cores[node] = core(node, self.count, self.stored[node])

    def deliver(self, place, *, keep=False):
        self.network.rotate(-(place % len(self.network)))
        message = self.network[0] if keep else self.network.popleft()
        sender, to, content = message
        self.carry_out(to, self.cores[to].receive(sender, content))


steps = st.lists(
    st.tuples(
        st.sampled_from(["deliver"] * 8 + ["repeat", "lose", "propose", "crash", "doubt"]),
        st.integers(0, 50),
    ),
    max_size=120,
)


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 5), steps)
def test_no_two_blocks_are_ever_decided_at_one_height(count, schedule):
    cluster = Cluster(count)
    cluster.propose(0)
    cluster.propose(count - 1)
    for action, number in schedule:
        node = number % count
        if action == "propose":
            cluster.propose(node)
        elif action == "crash":
            cluster.crash(node)
        elif action == "doubt":
            cluster.cores[node].doubt()
        elif cluster.network and action == "lose":
            cluster.network.rotate(-number)
            cluster.network.popleft()
        elif cluster.network:
            cluster.deliver(number, keep=action == "repeat")
    assert len(set().union(*cluster.decided)) <= 1


@given(st.integers(1, 5), st.data())
def test_with_a_majority_and_patience_a_block_is_decided(count, data):
    cluster = Cluster(count)
    up = range(count // 2 + 1)
    for _ in range(40):
        if any(cluster.decided):
            break
        proposer = data.draw(st.sampled_from(up))
        cluster.cores[proposer].doubt()
        cluster.propose(proposer)
        while cluster.network:
            sender, to, content = cluster.network.popleft()
            if to in up:
                cluster.carry_out(to, cluster.cores[to].receive(sender, content))
    assert len({frozenset(cluster.decided[node]) for node in up}) == 1
    assert cluster.decided[0]
