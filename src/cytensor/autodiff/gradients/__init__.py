"""One gradient rule per op, named by argument, written with differentiable ops so that tapes nest.

Importing a module fills the registry; `rules.py` says what the parameters of a rule may be called.
"""
from cytensor.autodiff.gradients import (
    convolutions,
    cumulative,
    einsum,
    elementwise,
    gathering,
    linalg,
    normalization,
    numpy_functions,
    products,
    reductions,
    rows,
    views,
    windows,
)

__all__ = ["convolutions", "cumulative", "einsum", "elementwise", "gathering", "linalg", "normalization",
           "numpy_functions", "products", "reductions", "rows", "views", "windows"]
