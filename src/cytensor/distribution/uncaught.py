"""An error on one rank ends all of them: the others would wait for it in vain."""
import sys
import traceback
from types import TracebackType

from cytensor.distribution.mpi import Processes

_processes: list[Processes] = []       # those that end together; empty until there are any


def end_all_on_error(processes: Processes) -> None:
    """From here on an exception that nobody catches is shown with the rank's number, and ends all ranks."""
    if not _processes and processes.size > 1:
        sys.excepthook = _end_all
    _processes[:] = [processes]


def _end_all(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    processes = _processes[0]
    lines = "".join(traceback.format_exception(kind, error, trace))
    sys.stdout.flush()
    print(f"rank {processes.rank} of {processes.size} failed, which ends all:\n{lines}", file=sys.stderr, flush=True)
    processes.abort()
