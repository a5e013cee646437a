"""Code that runs too long is ended where it runs; everything else is left alone."""

import sys
import threading
import time

import pytest

from gridloom.peer.chaincodes.watchdog import Overtime, Watchdog


def spin(seconds: float = 20.0) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "came to its end"


def test_an_endless_loop_is_ended() -> None:
    with pytest.raises(Overtime):
        Watchdog().run(0.05, spin)


def test_what_ends_in_time_returns_and_raises_as_always() -> None:
    watchdog = Watchdog()
    assert watchdog.run(60, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        watchdog.run(60, lambda: 1 // 0)


def test_code_that_swallows_the_exception_is_ended_all_the_same() -> None:
    swallowed = []

    def stubborn() -> None:
        for _ in range(2):
            try:
                spin()
            except BaseException as error:
                swallowed.append(type(error))
        spin()

    with pytest.raises(Overtime):
        Watchdog().run(0.05, stubborn)
    assert swallowed == [Overtime, Overtime]


def test_nothing_is_raised_after_the_call() -> None:
    watchdog = Watchdog()
    for _ in range(20):
        try:
            watchdog.run(0.0, lambda: spin(0.02))
        except Overtime:
            continue
    assert spin(0.3) == "came to its end"


def test_an_inner_call_shares_the_outer_limit() -> None:
    watchdog = Watchdog()
    with pytest.raises(Overtime):
        watchdog.run(0.05, lambda: watchdog.run(100, spin))


def test_each_thread_has_its_own_limit() -> None:
    watchdog = Watchdog()
    ended: list[str] = []

    def short() -> None:
        try:
            watchdog.run(0.05, spin)
        except Overtime:
            ended.append("short")

    thread = threading.Thread(target=short)
    thread.start()
    assert watchdog.run(60, lambda: spin(0.6)) == "came to its end"
    thread.join()
    assert ended == ["short"]


def test_code_under_a_debugger_may_take_its_time() -> None:
    with pytest.raises(Overtime):
        Watchdog().run(0.05, spin)  # leaves nothing behind that would hang a debugger
    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        assert Watchdog().run(0.0, lambda: spin(0.3)) == "came to its end"
    finally:
        sys.settrace(before)
