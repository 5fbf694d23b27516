"""Which interpreters the extensions run in: one to a process, with a global interpreter lock. Others are refused.

Storage, its pool and the recorders count on the lock, and the kernels' state is the process's. Of a build of Python
without the lock the modules say nothing, so that it turns the lock on when they are imported, and warns; where it was
told not to, and in an interpreter beside the main one, the import fails with a sentence instead of a race.
"""
import importlib
import sys


def is_main() -> bool:
    """Whether this is the main interpreter of the process."""
    for name in ("_interpreters", "_xxsubinterpreters"):        # Python 3.13 and later, earlier ones
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        current, main = module.get_current(), module.get_main()
        return bool(current == main)
    return True


def refuse_others() -> None:
    """ImportError in another interpreter than the main one."""
    if not is_main():
        raise ImportError("cyops: this is a sub-interpreter, and the extensions keep their state once in a process; "
                          "import it in the main interpreter, or use processes")


def refuse_without_lock() -> None:
    """ImportError where Python runs without its global lock although the extensions ask for it."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise ImportError("cyops: the extensions need the global interpreter lock; run Python without PYTHON_GIL=0 and "
                          "-X gil=0, and it turns the lock on by itself")


refuse_others()
