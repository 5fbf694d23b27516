"""SIGTERM, by which systems end a program that is to stop: a `fit` with a file to go on from writes it first.

Imported by fitting.py and trainer.py.
"""
import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

EXIT_CODE = 128 + signal.SIGTERM       # what a shell says of a process that the signal ended


class Termination:
    """Whether the process was asked to end since the block of `awaited` began."""
    was_asked: bool = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """The signal's handler: what runs comes to the end of its batch."""
        self.was_asked = True


@contextlib.contextmanager
def awaited(writes_a_file: bool) -> Iterator[Termination]:
    """A block in which SIGTERM is noted, for the loop to end behind its batch.

    Only where a file is written, on the main thread, and where the program has no handler of its own.
    """
    found = Termination()
    if not writes_a_file or threading.current_thread() is not threading.main_thread() or (
            signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL):
        yield found
        return
    signal.signal(signal.SIGTERM, found.ask)
    try:
        yield found
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
