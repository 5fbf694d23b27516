"""`cytensor train --distributed`: the command on every process that mpiexec started, with one of them to speak."""
import argparse
import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def on_all_processes(options: argparse.Namespace) -> Iterator[bool]:
    """A block that trains on all processes where the options ask for it; gives whether this one writes files.

    Of several processes the first alone prints. An error on one of them ends all.
    """
    if not options.distributed:
        if options.shards is not None:
            raise ValueError("--shards needs --distributed")
        yield True
        return
    from cytensor.distribution import DataParallel
    strategy = DataParallel(options.shards)
    with contextlib.ExitStack() as stack:
        if strategy.rank:
            nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
            stack.enter_context(contextlib.redirect_stdout(nowhere))
        stack.enter_context(strategy.scope())
        print(f"{strategy.size} process{'es' * (strategy.size != 1)} of {strategy.threads} "
              f"thread{'s' * (strategy.threads != 1)}, {strategy.processes.library_name}", flush=True)
        try:
            yield strategy.rank == 0
        except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
            if strategy.size == 1:
                raise
            print(f"cytensor train: error on rank {strategy.rank} of {strategy.size}: {error}", file=sys.stderr,
                  flush=True)
            strategy.processes.abort()
