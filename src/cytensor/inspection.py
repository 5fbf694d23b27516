"""What the Array API standard lets a program ask: dtypes, their limits and promotion, devices, the namespace itself."""
import functools
from typing import Any

import numpy as np

import cyops
from cyops import bfloat16
from cytensor import dtypes
from cytensor.dtypes import as_dtype
from cytensor.types import DTypeLike

API_VERSION = "2024.12"
# The standard's names of kinds of dtypes, as NumPy's letters.
KINDS = {"bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
         "complex floating": "c", "numeric": "iufc"}
STANDARD = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
            "complex64", "complex128")


def _dtype_of(op: str, given: Any) -> Any:
    return given.dtype if hasattr(given, "dtype") and not isinstance(given, type) else as_dtype(op, given, "biufc",
                                                                                               with_bfloat16=True)


def isdtype(dtype: DTypeLike, kind: Any) -> bool:
    """Whether `dtype` is of `kind`: a dtype, the standard's name of a kind ("real floating"), or a tuple of these.

    ValueError for a name that is none, TypeError for what is no dtype.

    >>> import cytensor as ct
    >>> ct.isdtype(ct.float32, "real floating"), ct.isdtype(ct.int8, (ct.bool, "integral"))
    (True, True)
    """
    found = _dtype_of("isdtype", dtype)
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if not isinstance(kind, str):
        return bool(found == _dtype_of("isdtype", kind))
    if kind not in KINDS:
        raise ValueError(f"isdtype: kind must be a dtype, a tuple or one of {', '.join(KINDS)}; got {kind!r}")
    return found.kind in KINDS[kind]


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that an operation on the tensors, dtypes and Python numbers gives: the standard's promotion.

    TypeError where nothing is given or dtypes do not combine.

    >>> import cytensor as ct
    >>> ct.result_type(ct.int8, ct.uint8), ct.result_type(ct.float32, 1)
    (dtype('int16'), dtype('float32'))
    """
    weak = [one for one in arrays_and_dtypes if type(one) in (bool, int, float, complex)]
    strong = [_dtype_of("result_type", one) for one in arrays_and_dtypes
              if type(one) not in (bool, int, float, complex)]
    if not arrays_and_dtypes:
        raise TypeError("result_type: needs at least one tensor or dtype")
    operands = [*(cyops.empty((0,), dtype) for dtype in strong), *weak]
    return functools.reduce(lambda a, b: cyops.where([], a, b), operands, operands[0]).dtype


def can_cast(from_: Any, to: DTypeLike, /) -> bool:
    """Whether promotion may turn the dtype of `from_`, a tensor or a dtype, into `to`.

    >>> import cytensor as ct
    >>> ct.can_cast(ct.int8, ct.int32), ct.can_cast(ct.float64, ct.float32)
    (True, False)
    """
    target = _dtype_of("can_cast", to)
    try:
        return bool(result_type(_dtype_of("can_cast", from_), target) == target)
    except TypeError as error:
        if "combine" in str(error):
            return False
        raise


class finfo:
    """The limits of a floating dtype: bits, eps, max, min, smallest_normal, Python numbers, and dtype.

    `type`: a dtype or a tensor; of a complex one, the limits of its parts. TypeError for one that is not floating.

    >>> import cytensor as ct
    >>> ct.finfo(ct.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any, /) -> None:
        dtype = _dtype_of("finfo", type)
        self.bits: int
        self.eps: float
        self.max: float
        self.smallest_normal: float
        self.dtype: Any
        if dtype.kind not in "fc":
            raise TypeError(f"finfo: needs a floating dtype; got {dtype}")
        if bfloat16 == dtype:
            self.bits, self.eps, self.dtype = 16, 2.0 ** -7, dtype
            self.max, self.smallest_normal = (2 - 2.0 ** -7) * 2.0 ** 127, 2.0 ** -126
        else:
            limits = np.finfo(dtype)
            self.bits, self.eps, self.dtype = int(limits.bits), float(limits.eps), limits.dtype
            self.max, self.smallest_normal = float(limits.max), float(limits.smallest_normal)
        self.min: float = -self.max

    def __repr__(self) -> str:
        return f"finfo({self.dtype}: eps={self.eps!r}, max={self.max!r}, smallest_normal={self.smallest_normal!r})"


class iinfo:
    """The limits of an integer dtype: bits, max, min, Python integers, and dtype. TypeError for any other.

    >>> import cytensor as ct
    >>> ct.iinfo(ct.uint8).max
    255
    """

    def __init__(self, type: Any, /) -> None:
        dtype = _dtype_of("iinfo", type)
        if dtype.kind not in "iu":
            raise TypeError(f"iinfo: needs an integer dtype; got {dtype}")
        limits = np.iinfo(dtype)
        self.bits: int = int(limits.bits)
        self.max: int = int(limits.max)
        self.min: int = int(limits.min)
        self.dtype: Any = dtype

    def __repr__(self) -> str:
        return f"iinfo({self.dtype}: min={self.min}, max={self.max})"


def check_device(op: str, device: Any) -> None:
    """ValueError for any device but the CPU."""
    if device is not None and device != "cpu":
        raise ValueError(f"{op}: there is one device, 'cpu'; got {device!r}")


class NamespaceInfo:
    """What `__array_namespace_info__()` gives: the standard's inspection of a namespace."""

    def capabilities(self) -> dict[str, Any]:
        """What the standard leaves to a library, and the largest number of axes."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 32}

    def default_device(self) -> str:
        """The device of new tensors."""
        return "cpu"

    def devices(self) -> list[str]:
        """All devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, Any]:
        """The dtypes of new tensors for which none is given."""
        check_device("default_dtypes", device)
        return {"real floating": dtypes.float32, "complex floating": dtypes.complex64, "integral": dtypes.int64,
                "indexing": dtypes.int64}

    def dtypes(self, *, device: str | None = None, kind: Any = None) -> dict[str, Any]:
        """The standard's dtypes, {name: dtype}, of `kind` as in `isdtype`, all when None."""
        check_device("dtypes", device)
        found = {name: np.dtype(name) for name in STANDARD}
        return {name: one for name, one in found.items() if kind is None or isdtype(one, kind)}


def __array_namespace_info__() -> NamespaceInfo:
    """What this namespace of the standard offers: capabilities, default_device, default_dtypes, devices, dtypes.

    >>> import cytensor as ct
    >>> ct.__array_namespace_info__().default_device()
    'cpu'
    """
    return NamespaceInfo()


__all__ = ["can_cast", "finfo", "iinfo", "isdtype", "result_type"]
