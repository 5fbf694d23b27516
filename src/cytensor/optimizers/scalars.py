"""The state of an optimizer in the form of the variables that Keras has in its place. Only base.py imports this."""
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np

from cyops import as_class
from cytensor.optimizers.schedules import RateLike
from cytensor.tensor import Tensor, Variable, VariableView
from cytensor.types import Array, ArrayLike

if TYPE_CHECKING:
    from cytensor.optimizers.base import Optimizer


class Setting(Variable):
    """A number of an optimizer as a Variable that sets it when assigned to."""

    def __init__(self, value: np.generic, name: str, store: Callable[[Array], None]) -> None:
        super().__init__(value, trainable=False, name=name, dtype=value.dtype)
        self._store = store

    def assign(self, value: ArrayLike) -> Self:
        result = super().assign(value)
        self._store(self.numpy())
        return result

    def assign_add(self, value: ArrayLike) -> Self:
        return self.assign(self.numpy() + np.asarray(value, self.dtype))

    def assign_sub(self, value: ArrayLike) -> Self:
        return self.assign(self.numpy() - np.asarray(value, self.dtype))


class Slot(VariableView):
    """A slot under a name, with a variable's methods; on the memory of the slot itself."""
    __slots__ = ("name",)
    name: str

    @classmethod
    def of(cls, slot: Tensor, name: str) -> Self:
        """The slot as one of these."""
        made: Self = as_class(slot, cls)
        made.name = name
        return made

    def _described(self) -> str:
        return f"Variable {self.name!r}"


class Rate(float):
    """A learning rate as a float that also has the methods of the variable that Keras gives in its place."""
    __slots__ = ("_optimizer",)
    _optimizer: "Optimizer"

    def __new__(cls, optimizer: "Optimizer") -> Self:
        self = super().__new__(cls, optimizer._rate())
        self._optimizer = optimizer
        return self

    def __reduce__(self) -> tuple[type[float], tuple[float]]:
        return float, (float(self),)

    def numpy(self) -> np.float32:
        """The value as a NumPy float32."""
        return np.float32(self)

    def assign(self, value: RateLike) -> None:
        """Set the optimizer's learning rate."""
        self._optimizer.learning_rate = value
