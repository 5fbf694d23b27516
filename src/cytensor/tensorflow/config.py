"""`tf.config`: what listings ask of devices and threads. There is one device, the CPU; results are deterministic."""
import contextlib
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

import cyops

__all__ = ["experimental", "get_visible_devices", "list_logical_devices", "list_physical_devices",
           "run_functions_eagerly", "set_visible_devices", "threading"]


class PhysicalDevice(NamedTuple):
    """A device as `list_physical_devices` lists it."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of a kind, or all: the CPU.

    >>> list_physical_devices("GPU"), len(list_physical_devices())
    ([], 1)
    """
    return [PhysicalDevice("/physical_device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def list_logical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The same by the names that `device` takes."""
    return [PhysicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """As `list_physical_devices`."""
    return list_physical_devices(device_type)


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Nothing for the CPU, and where GPUs are hidden; ValueError for other devices."""
    for one in devices if isinstance(devices, (list, tuple)) else [devices]:
        if one is not None and getattr(one, "device_type", None) != "CPU":
            raise ValueError(f"set_visible_devices: there is the CPU alone; got {one!r}")


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Nothing: functions always run operation by operation."""


def enable_op_determinism() -> None:
    """Nothing: every operation gives the same bits for the same operands, at any number of threads."""


def _set_memory_growth(device: Any, enable: bool) -> None:
    """Nothing: memory is taken when it is needed."""


def get_intra_op_parallelism_threads() -> int:
    """How many threads an operation uses."""
    return cyops.get_num_threads()


def set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Let operations use so many threads; 0 changes nothing."""
    if num_threads:
        cyops.set_num_threads(num_threads)


experimental: types.SimpleNamespace = types.SimpleNamespace(
    enable_op_determinism=enable_op_determinism, set_memory_growth=_set_memory_growth,
    list_physical_devices=list_physical_devices, list_logical_devices=list_logical_devices)
threading: types.SimpleNamespace = types.SimpleNamespace(
    get_intra_op_parallelism_threads=get_intra_op_parallelism_threads,
    set_intra_op_parallelism_threads=set_intra_op_parallelism_threads)


@contextlib.contextmanager
def device(device_name: Any) -> Iterator[None]:
    """A block whose operations run on a device: the CPU, whatever its number. ValueError for another.

    >>> with device("/CPU:0"):
    ...     pass
    """
    kind = str(device_name or "CPU").upper()
    if "CPU" not in kind:
        raise ValueError(f"device: there is the CPU alone; got {device_name!r}")
    yield
