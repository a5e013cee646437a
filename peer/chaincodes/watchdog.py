"""Ends Python code that runs too long, by raising inside the thread that runs it.

One thread watches all others.  The exception arrives at the next bytecode, so endless loops
end; a call that blocks in C (``time.sleep``) ends only when it returns.  Code that is being
stepped through in a debugger is left alone.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_LOOK_EVERY_SECONDS = 0.1
_MONITORING = getattr(sys, "monitoring", None)


class Overtime(BaseException):
    """Raised inside code that overran; no ``except Exception`` of a chaincode catches it."""


class Watchdog:
    """Runs functions under a time limit in seconds, in the caller's own thread.

    The watching thread exists only while something runs; it looks ten times a second, and
    raises again and again in code that swallows what it raised.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: dict[int, _Watch] = {}
        self._watching = False

    def run(self, limit: float, function: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
        """Return what ``function`` returns, or raise Overtime when it took too long.

        A call inside another watched call of the same thread shares the outer limit.
        """
        thread = threading.get_ident()
        if thread in self._watches or _being_debugged():
            return function(*args, **options)
        watch = _Watch(time.monotonic() + limit)
        self._start(thread, watch)
        try:
            return function(*args, **options)
        finally:
            self._finish(thread, watch)

    def _start(self, thread: int, watch: _Watch) -> None:
        self._watches[thread] = watch
        if self._watching:  # and will see this watch before it ends
            return
        with self._lock:
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _finish(self, thread: int, watch: _Watch) -> None:
        """Stop watching; an Overtime still on its way is taken back."""
        while watch.active:
            try:
                with self._lock:
                    watch.active = False
                    self._watches.pop(thread, None)
            except Overtime:
                continue
        if watch.raised:
            _absorb(thread)

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY_SECONDS)
            now = time.monotonic()
            with self._lock:
                self._watching = False  # first: whoever begins now either sees it or is seen
                if not self._watches:
                    return
                self._watching = True
                for thread, watch in list(self._watches.items()):
                    if watch.deadline <= now:
                        watch.raised = True
                        _raise_in(thread)


class _Watch:
    __slots__ = ("active", "deadline", "raised")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.active = True
        self.raised = False


def _raise_in(thread: int) -> None:
    """Have Overtime raised in a thread, at its next bytecode."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Overtime))


def _absorb(thread: int) -> None:
    """Take an Overtime that may still be on its way to this thread.

    Python remembers that something is pending until it has been raised, even when it is
    taken back (3.11 then hangs in a debugger); so one more is asked for, which replaces it.
    """
    try:
        _raise_in(thread)
        while True:
            time.sleep(0)
    except Overtime:
        return


def _being_debugged() -> bool:
    if sys.gettrace() is not None:
        return True
    return _MONITORING is not None and _MONITORING.get_tool(_MONITORING.DEBUGGER_ID) is not None
