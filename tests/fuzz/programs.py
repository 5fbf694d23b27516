"""Running cases: each is the text of a program, run after the prelude; one that fails is printed with it."""
import functools
from pathlib import Path

from blocks import Trace

PRELUDE = Path(__file__).with_name("prelude.py")


class Failed(AssertionError):
    """A case that failed: the reason in one line, then the text of the case."""


@functools.cache
def namespace():
    """What the prelude defines."""
    space = {"__name__": "prelude"}
    exec(compile(PRELUDE.read_text(), str(PRELUDE), "exec"), space)
    return space


class Runner:
    """Runs cases one after another and leaves the last one in its trace, for one that takes the process with it."""

    def __init__(self, trace=None):
        self.count, self.trace = 0, trace and Trace(trace)

    def run(self, body):
        """Run one case; Failed where it does not hold."""
        self.count += 1
        if self.trace:
            self.trace.note(body)
        try:
            exec(compile(body, "<case>", "exec"), dict(namespace()))
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise Failed(f"{reason}\n{body}") from error


def program(body):
    """The text of a program that runs by itself."""
    return f"{PRELUDE.read_text()}\n\n# -- the case {'-' * 105}\n{body}"
