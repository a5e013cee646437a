"""What a node without a log may do: nothing that its forgotten self might have promised away."""

import itertools

from gridloom.orderer.etcdraft.rejoining import Rejoining, has_lost_its_log
from gridloom.orderer.raft.messages import Message, MessageType


def answer(node_id: int, term: int) -> Message:
    return Message(MessageType.PRE_VOTE_RESP, to=1, from_=node_id, term=term, reject=True)


def test_enough_others_answer_when_none_of_our_majorities_escapes_them() -> None:
    for size in range(1, 10):
        others = list(range(2, size + 1))
        needed = Rejoining(1, others).needed
        majority = size // 2 + 1
        for heard in itertools.combinations(others, needed):
            for partners in itertools.combinations(others, majority - 1):
                assert size == 1 or set(heard) & set(partners) or not partners
        if needed > 1:
            short = list(itertools.combinations(others, needed - 1))
            assert any(
                not set(heard) & set(partners)
                for heard in short
                for partners in itertools.combinations(others, majority - 1)
            )


def test_a_cluster_that_only_begins_is_known_by_its_terms() -> None:
    rejoining = Rejoining(1, [2, 3])
    assert [question.to for question in rejoining.questions()] == [2, 3]
    rejoining.hear(answer(2, 1))
    assert not rejoining.answered
    rejoining.hear(answer(3, 1))
    assert rejoining.answered
    assert rejoining.beginning


def test_the_latest_term_counts() -> None:
    rejoining = Rejoining(1, [2, 3, 4, 5])
    for node_id, term in ((2, 3), (3, 9), (4, 1)):
        rejoining.hear(answer(node_id, term))
    assert (rejoining.answered, rejoining.term, rejoining.beginning) == (True, 9, False)


def test_a_question_is_answered_and_speaks_of_the_term_before() -> None:
    rejoining = Rejoining(1, [2])
    reply = rejoining.hear(Message(MessageType.PRE_VOTE, to=1, from_=2, term=2))
    assert reply is not None
    assert (reply.to, reply.reject) == (2, True)
    assert rejoining.term == 1


def test_a_follower_on_probation_takes_no_part_in_elections() -> None:
    rejoining = Rejoining(1, [2, 3])
    for kind in (MessageType.VOTE, MessageType.PRE_VOTE, MessageType.TIMEOUT_NOW):
        message = Message(kind, to=1, from_=2, term=5)
        assert not rejoining.admits(message, last_index=10)
        assert not rejoining.sends(message)
    assert rejoining.admits(Message(MessageType.APP, to=1, from_=2, term=5), 0)
    assert not rejoining.admits(Message(MessageType.HEARTBEAT, to=1, from_=2, commit=7), 6)


def test_a_leader_sees_from_the_question_that_a_log_is_lost() -> None:
    (question, _) = Rejoining(1, [2, 3]).questions()
    assert has_lost_its_log(question, matched=5)
    assert not has_lost_its_log(question, matched=0)
    real = Message(MessageType.PRE_VOTE, to=2, from_=1, term=4, index=5)
    assert not has_lost_its_log(real, matched=9)
