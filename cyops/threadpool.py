"""The pool as threadpoolctl knows it: `threadpool_info()` lists it and `threadpool_limits(4)` sets it.

threadpoolctl looks through the shared libraries of the process for file names that somebody has registered. It is not
imported here: where the program has it already the pool is registered at once, otherwise when the program imports it.
"""
import os
import sys
from types import ModuleType

import cyops.strided
from cyops.config import isa
from cyops.threads import get_num_threads, set_num_threads

NAME = "threadpoolctl"


def register(threadpoolctl: ModuleType) -> None:
    """Make the pool known to the module `threadpoolctl`, under the user_api "cytensor".

    >>> import threadpoolctl
    >>> [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "cytensor"] == [
    ...     get_num_threads()]
    True
    """
    class PoolController(threadpoolctl.LibController):
        """The one pool of cyops.strided."""
        user_api = "cytensor"
        internal_api = "cyops"
        filename_prefixes = (os.path.basename(os.path.realpath(cyops.strided.__file__)).lower(),)
        check_symbols = ("PyInit_strided",)

        def get_version(self):
            """cyops has no version of its own."""

        def get_num_threads(self):
            return get_num_threads()

        def set_num_threads(self, num_threads):
            set_num_threads(num_threads)

        def set_additional_attributes(self):
            self.threading_layer = "pthreads"
            self.architecture = isa

    threadpoolctl.register(PoolController)


class _WhenImported:
    """A finder that leaves the finding to the others, and registers the pool once threadpoolctl has run."""

    def find_spec(self, name, path=None, target=None):
        if name != NAME:
            return None
        others = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._follow(spec.loader)
        return spec

    def _follow(self, loader):
        run = loader.exec_module

        def run_and_register(module):
            del loader.exec_module             # it lay over the loader's own method
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            run(module)
            if hasattr(module, "register"):    # since version 3.3
                register(module)

        loader.exec_module = run_and_register


if NAME in sys.modules:
    register(sys.modules[NAME])
else:
    sys.meta_path.insert(0, _WhenImported())
