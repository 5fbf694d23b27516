"""The Array API standard's `fft`: NumPy's transforms on the tensor's own memory, as a table.

Results are complex, or real for irfft and hfft, in the precision of the input; integers are computed as float32.
Complex numbers are on no tape, so a gradient does not pass a transform: `tape.gradient` gives None and warns, as of any
detour.
"""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cyops import Strided
from cytensor.composites import operands
from cytensor.inspection import check_device
from cytensor.ops import derive
from cytensor.types import ArrayLike, DTypeLike

# name -> what the transform takes and gives, for its docstring
ONE_AXIS = {
    "fft": "The discrete Fourier transform along `axis`.", "ifft": "The inverse of `fft`.",
    "rfft": "`fft` of real numbers: the n // 2 + 1 frequencies that are not negative.",
    "irfft": "The inverse of `rfft`, real.", "hfft": "`fft` of numbers with Hermitian symmetry, real.",
    "ihfft": "The inverse of `hfft`.",
}
SEVERAL_AXES = {
    "fftn": "The discrete Fourier transform over several axes.", "ifftn": "The inverse of `fftn`.",
    "rfftn": "`fftn` of real numbers.", "irfftn": "The inverse of `rfftn`, real.",
}
SHIFTS = {"fftshift": "Moves frequency 0 to the middle.", "ifftshift": "The inverse of `fftshift`."}
FREQUENCIES = {"fftfreq": "The frequencies of `fft` of n samples `d` apart.",
               "rfftfreq": "The frequencies of `rfft` of n samples `d` apart."}


def _apply(op: str, x: ArrayLike, **options: Any) -> Strided:
    tensor, = operands(op, x)
    if tensor.dtype.kind in "SU":
        raise TypeError(f"{op}: needs numbers; got dtype {tensor.dtype}")
    array = np.asarray(tensor)
    if op in ("rfft", "rfftn", "ihfft") and array.dtype.kind == "c":
        raise TypeError(f"{op}: needs real numbers; got dtype {tensor.dtype}")
    if op not in SHIFTS and array.dtype.kind in "biu":
        array = array.astype(np.float32)
    try:
        return Strided(np.asarray(getattr(np.fft, op)(array, **options)))
    except (ValueError, IndexError, TypeError) as error:
        raise type(error)(f"{op}: {error}; got shape {tensor.shape}, {options}") from None


def _along_one(name: str) -> Callable[..., Strided]:
    def function(x: ArrayLike, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Strided:
        return _apply(name, x, n=n, axis=axis, norm=norm)
    return function


def _along_several(name: str) -> Callable[..., Strided]:
    def function(x: ArrayLike, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
                 norm: str = "backward") -> Strided:
        if s is not None and axes is None:      # the standard: the last axes
            axes = tuple(range(-len(s), 0))
        return _apply(name, x, s=s, axes=axes, norm=norm)
    return function


def _shift(name: str) -> Callable[..., Strided]:
    def function(x: ArrayLike, /, *, axes: int | Sequence[int] | None = None) -> Strided:
        return _apply(name, x, axes=axes)
    return function


def _frequencies(name: str) -> Callable[..., Strided]:
    def function(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: str | None = None) -> Strided:
        check_device(name, device)
        if not hasattr(n, "__index__") or n < 1:
            raise ValueError(f"{name}: n must be a positive integer; got {n!r}")
        return Strided(getattr(np.fft, name)(n, d=d), "float32" if dtype is None else dtype)
    return function


def _public(name: str, doc: str, function: Callable[..., Strided], example: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    function.__doc__ = (f"{doc}\n\n    ValueError for lengths below 1, an unknown norm, axes out of range; TypeError "
                        f"for dtypes that do not suit.\n    As the Array API standard's `fft.{name}`; computed by "
                        f"NumPy.\n\n    >>> import cytensor as ct\n    >>> {example}\n    ")
    return derive(function)


globals().update(
    {name: _public(name, doc, _along_one(name), f"ct.fft.{name}(ct.ones(4)).ndim\n    1")
     for name, doc in ONE_AXIS.items()}
    | {name: _public(name, doc, _along_several(name), f"ct.fft.{name}(ct.ones((4, 4))).ndim\n    2")
       for name, doc in SEVERAL_AXES.items()}
    | {name: _public(name, doc, _shift(name), f"ct.fft.{name}(ct.ones(4)).shape\n    (4,)")
       for name, doc in SHIFTS.items()}
    | {name: _public(name, doc, _frequencies(name), f"ct.fft.{name}(4).dtype\n    dtype('float32')")
       for name, doc in FREQUENCIES.items()})
__all__ = sorted([*ONE_AXIS, *SEVERAL_AXES, *SHIFTS, *FREQUENCIES])


def __dir__() -> list[str]:
    return [*__all__]
