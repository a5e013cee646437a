"""A memo forgets the oldest half at a time and never answers wrongly."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.memo import BoundedMemo

CAPACITY = 4


@given(st.lists(st.tuples(st.sampled_from("gp"), st.integers(0, 15))))
def test_it_remembers_the_last_ones_and_at_most_twice_its_capacity(steps):
    memo: BoundedMemo[int, int] = BoundedMemo(CAPACITY)
    put: list[int] = []
    for what, key in steps:
        if what == "p":
            memo.put(key, key * key)
            put.append(key)
        else:
            assert memo.get(key) in (None, key * key)
        assert len(memo) <= 2 * CAPACITY
    if put:
        assert memo.get(put[-1]) == put[-1] ** 2


def test_what_is_asked_for_outlives_what_is_not():
    memo: BoundedMemo[str, int] = BoundedMemo(CAPACITY)
    memo.put("asked for", 1)
    memo.put("not", 2)
    for key in range(5 * CAPACITY):
        memo.put(str(key), key)
        assert memo.get("asked for") == 1
    assert memo.get("not") is None


def test_threads_may_miss_but_are_never_told_wrongly():
    memo: BoundedMemo[int, int] = BoundedMemo(CAPACITY)
    wrong: list[int] = []

    def work() -> None:
        for key in range(5_000):
            memo.put(key % 37, key % 37)
            found = memo.get(key % 11)
            if found not in (None, key % 11):
                wrong.append(key)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
