# cython: language_level=3, binding=True
"""The instruction set whose kernels run, chosen when the package is imported.

The best one the CPU has is taken, by its feature bits. The environment variable CYOPS_ISA (generic, avx2, avx512 or
avx512_bf16) lowers the choice, so that a test can run every path on one machine.
"""
from cyops.strided cimport api

import os


cdef extern from "csrc/runtime/dispatch.h":
    enum: CYOPS_MOST_ISAS


def select_isa(limit):
    """Takes the best instruction set up to `limit` (None: the best there is); returns its name.

    ValueError for a name that is not known. Called once at import.
    """
    cdef bytes text = (limit or "").encode()
    cdef const char *chosen = api().select_isa(text)
    if chosen == NULL:
        raise ValueError(f"CYOPS_ISA must be generic, neon, avx2, avx512 or avx512_bf16; got {limit!r}")
    return (<bytes> chosen).decode()


def available_isas():
    """The instruction sets this CPU can run, the best one last.

    >>> import cyops
    >>> cyops.available_isas()[0]
    'generic'
    """
    cdef const char *names[CYOPS_MOST_ISAS]
    cdef int count = api().available_isas(names)
    return tuple([(<bytes> names[i]).decode() for i in range(count)])


isa = select_isa(os.environ.get("CYOPS_ISA"))
