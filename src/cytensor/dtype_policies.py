"""Dtype policies: in which dtype a layer computes, and in which it keeps its weights.

"mixed_bfloat16" computes in bfloat16 and keeps float32 weights, as Keras's policy of that name does (Micikevicius et
al., "Mixed Precision Training", 2018). Any other policy is a dtype that serves for both. What layers make of their
policy is the business of layers/; losses, softmax and statistics compute in float32 whatever the policy (halves.py).
"""
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from cytensor.absent import explain
from cytensor.dtypes import as_dtype
from cytensor.registry import Configurable, register
from cytensor.types import Config

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]
MIXED = "mixed_bfloat16"


class DTypePolicy(Configurable):
    """The dtypes of a layer: what it computes in and what its weights are kept in.

    name: "mixed_bfloat16", or a dtype such as "float32" or "bfloat16" for both. None is the global policy's. ValueError
    for "mixed_float16": float16 needs its losses scaled lest gradients vanish, and there is no LossScaleOptimizer.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype.name, policy.variable_dtype.name
    ('bfloat16', 'float32')
    """
    strict = True
    name: str
    compute_dtype: np.dtype[Any]
    variable_dtype: np.dtype[Any]

    def __init__(self, name: str | None = None) -> None:
        self._take("DTypePolicy", global_policy().name if name is None else name)

    def _take(self, op: str, name: Any) -> None:
        _refuse_unknown(op, name)
        compute = as_dtype(op, "bfloat16" if name == MIXED else name, with_bfloat16=True)
        variable: np.dtype[Any] = np.dtype(np.float32) if name == MIXED else compute
        self.name, self.compute_dtype, self.variable_dtype = MIXED if name == MIXED else compute.name, compute, variable

    def get_config(self) -> Config:
        """{"name": ...}; `DTypePolicy.from_config` takes it back."""
        return {"name": self.name}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
register("dtype_policies", DTypePolicy)


def _refuse_unknown(op: str, name: object) -> None:
    """Say in words why the policies of Keras that are not here are not."""
    if name == "mixed_float16":
        raise ValueError(f"{op}: dtype must not be 'mixed_float16': gradients in float16 vanish unless the loss is "
                         f"scaled, and there is no LossScaleOptimizer; '{MIXED}' needs none")
    if isinstance(name, str) and (name.startswith("mixed") or "_from_" in name) and name != MIXED:
        raise ValueError(f"{op}: dtype must be a dtype or the policy '{MIXED}'; got {name!r}")


def get(identifier: Any, op: str = "DTypePolicy") -> DTypePolicy:
    """The policy that a name, a dtype, a policy or its configuration means; None is the global one.

    op: who asks, for the message of the TypeError or ValueError where it is none of these.
    """
    if identifier is None:
        return global_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        if not isinstance(identifier.get("config"), dict):
            raise TypeError(f"{op}: dtype must be a policy, or its configuration; got {identifier!r}")
        return get(identifier["config"].get("name"), op)
    policy = DTypePolicy.__new__(DTypePolicy)
    policy._take(op, identifier)
    return policy


deserialize = get


def serialize(policy: DTypePolicy) -> Config:
    """The configuration of a policy as Keras writes it.

    >>> serialize(DTypePolicy("float32"))
    {'class_name': 'DTypePolicy', 'config': {'name': 'float32'}}
    """
    if not isinstance(policy, DTypePolicy):
        raise TypeError(f"serialize: policy must be a DTypePolicy; got {policy!r}")
    return {"class_name": "DTypePolicy", "config": policy.get_config()}


# -- the global policy ------------------------------------------------------------------------------------------------
class _Restored(threading.local):
    """What stands for the global policy while this thread makes a layer anew from a file."""
    policy: DTypePolicy | None = None


_restored = _Restored()
FLOAT32 = DTypePolicy("float32")
_global = FLOAT32


def global_policy() -> DTypePolicy:
    """The policy of layers that are made without a dtype; float32 at first."""
    return _restored.policy or _global


def set_global_policy(policy: Any) -> None:
    """Let layers made from now on have `policy`: a name, a DTypePolicy or a dtype.

    >>> set_global_policy("mixed_bfloat16")
    >>> global_policy()
    <DTypePolicy "mixed_bfloat16">
    >>> set_global_policy("float32")
    """
    global _global
    if policy is None:
        raise ValueError("set_global_policy: policy must be a name, a dtype or a DTypePolicy; got None")
    _global = get(policy)


@contextlib.contextmanager
def restoring() -> Iterator[None]:
    """Within the block, what says no dtype has float32: so it was when the configuration was written."""
    outer, _restored.policy = _restored.policy, FLOAT32
    try:
        yield
    finally:
        _restored.policy = outer


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
