"""Optimizer: what every optimizer does around its own update rule.

Order of one step: drop missing gradients, accumulate, clip, decay the weights, update (one compiled call for all
parameters where the rule has a kernel), average the weights, constrain them. Formulas and defaults are Keras 3's.
"""
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from cytensor import initializers, ops, parallel, registry
from cytensor.halves import in_numpy
from cytensor.norms import joint_length
from cytensor.optimizers.scalars import Rate, Setting, Slot
from cytensor.optimizers.schedules import LearningRateSchedule, RateLike
from cytensor.tensor import Tensor, Variable, asarray
from cytensor.types import ArrayLike, Config, Identifier
from cytensor.user_warnings import warn


class Optimizer(registry.Configurable):
    """Base class. Subclasses name their `slot_names` and define `update(gradients, variables, learning_rate)`.

    learning_rate: a float, a schedule, or a function without arguments. At most one of clipnorm (of each gradient),
    clipvalue (of each element) and global_clipnorm (of all gradients together). use_ema keeps an exponential moving
    average of the weights, which replaces them every `ema_overwrite_frequency` steps and at the end of `fit`.
    gradient_accumulation_steps: how many steps' gradients are averaged before the weights change; the mean is clipped,
    and a schedule counts all of these steps.
    """
    strict = True
    slot_names: tuple[str, ...] = ()
    _learning_rate: Any = None         # what learning_rate was set to
    takes_factors: bool = False      # whether `update` hands `self.factors` to its kernel, which then decays and clips

    def __init_subclass__(cls, **options: Any) -> None:
        """A rule that replaces one with a kernel does not take the factors unless it says so itself."""
        super().__init_subclass__(**options)
        if "update" in vars(cls):
            cls.takes_factors = vars(cls).get("takes_factors", False)

    def __init__(self, learning_rate: RateLike = 0.01, weight_decay: float | None = None, clipnorm: float | None = None,
                 clipvalue: float | None = None, global_clipnorm: float | None = None, use_ema: bool = False,
                 ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
                 gradient_accumulation_steps: int | None = None, name: str | None = None) -> None:
        self.name: str = name or type(self).__name__.lower()
        self.learning_rate = learning_rate
        limits = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if sum(limit is not None for limit in limits.values()) > 1:
            raise ValueError(f"{type(self).__name__}: at most one of clipnorm, clipvalue and global_clipnorm; "
                             f"got {limits}")
        self.weight_decay: float | None = _positive(self, "weight_decay", weight_decay)
        self.clipnorm: float | None = _positive(self, "clipnorm", clipnorm)
        self.clipvalue: float | None = _positive(self, "clipvalue", clipvalue)
        self.global_clipnorm: float | None = _positive(self, "global_clipnorm", global_clipnorm)
        self.use_ema: bool = use_ema
        self.ema_momentum: float = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        if gradient_accumulation_steps is not None and gradient_accumulation_steps < 2:
            raise ValueError(f"{type(self).__name__}: gradient_accumulation_steps must be at least 2; "
                             f"got {gradient_accumulation_steps}")
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built: bool = False
        self.calls: int = 0                         # steps taken, those that only accumulated included
        self.parameters: list[Variable] = []        # the variables seen, in order
        self.slots: dict[str, list[Any]] = {}       # name -> one tensor for each of `parameters`
        self._places: dict[int, int] = {}           # id of a variable -> its place in `parameters`
        self.factors: dict[str, Any] = {}           # what this step's kernel multiplies by first
        self._is_whole = False                      # whether this step changes all of `parameters`, in their order
        self._added_slots: set[str] = set()         # names of slots from add_variable_from_reference
        self._undecayed: list[Variable] = []
        self._undecayed_names: tuple[str, ...] = ()

    # -- learning rate and step ---------------------------------------------------------------------------------------
    @property
    def learning_rate(self) -> Rate:
        """The current learning rate, a float; may be set to another, or to a schedule, which then stays."""
        return Rate(self)

    @learning_rate.setter
    def learning_rate(self, value: RateLike) -> None:
        rate: Any = registry.deserialize(value) if isinstance(value, dict) else value
        if not isinstance(rate, LearningRateSchedule) and not callable(rate):
            if isinstance(self._learning_rate, LearningRateSchedule):
                raise TypeError(f"{type(self).__name__}: learning_rate is a schedule and cannot be set to a number; "
                                f"got {rate!r}; make the optimizer with a number to change it later")
            try:
                rate = float(rate)
            except (TypeError, ValueError):
                raise TypeError(f"{type(self).__name__}: learning_rate must be a number, a schedule or a function; "
                                f"got {rate!r}") from None
            if not rate >= 0 or math.isinf(rate):
                raise ValueError(f"{type(self).__name__}: learning_rate must be finite and not negative; got {rate}")
        self._learning_rate = rate

    def _rate(self) -> float:
        if isinstance(self._learning_rate, LearningRateSchedule):
            return float(self._learning_rate(self.calls))      # as Keras: every call counts, not every change
        return float(self._learning_rate() if callable(self._learning_rate) else self._learning_rate)

    @property
    def iterations(self) -> int:
        """How many times the weights were changed, an int."""
        return self.calls // (self.gradient_accumulation_steps or 1)

    def get_config(self) -> Config:
        return {**super().get_config(), "learning_rate": self._learning_rate}

    # -- one step -----------------------------------------------------------------------------------------------------
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor | None, Variable]]) -> int:
        """Change the variables by their gradients: pairs (gradient, variable), as zip(gradients, variables) gives.

        Returns `iterations`.
        """
        pairs = list(grads_and_vars) if grads_and_vars is not None else [None]
        wrong = [pair for pair in pairs if not (isinstance(pair, (tuple, list)) and len(pair) == 2)]
        if wrong:
            raise TypeError(f"{self.name}: apply_gradients takes pairs (gradient, variable), as zip(gradients, "
                            f"variables) gives; got {type(wrong[0]).__name__}")
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def apply(self, grads: Sequence[Tensor | None], trainable_variables: Sequence[Variable] | None = None) -> None:
        """As `apply_gradients`, from two lists; the variables default to those seen before.

        Under a `distribution` the gradients are this process's, and those of all together are applied.
        """
        variables = self.parameters if trainable_variables is None else trainable_variables
        if parallel.distribution is None:
            self._step(grads, variables)
        else:
            parallel.distribution.apply(self._step, grads, variables)

    def _step(self, grads: Sequence[Tensor | None], variables: Sequence[Variable]) -> None:
        """Change the variables by gradients that are known as a whole."""
        present, variables = self._present(grads, variables)
        self._is_whole = self._are_all(variables)
        if not (self._is_whole and self.built):
            self._build_for(variables)
        self.factors = {}
        gradients = self._accumulated(present, variables) if self.gradient_accumulation_steps else present
        if gradients is not None:
            gradients = self._clipped(gradients)
            learning_rate = self._rate()
            if self.weight_decay:
                self._decay(variables, self.weight_decay * learning_rate)
            self.update(gradients, variables, learning_rate)
        if self.use_ema:
            self._average(variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self.calls += 1

    def update(self, gradients: Sequence[Tensor], variables: Sequence[Variable], learning_rate: float) -> None:
        """Change all variables. The default calls `update_step` for each of them."""
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: float) -> None:
        raise NotImplementedError(f"{type(self).__name__}: an optimizer must define update or update_step")

    # -- state --------------------------------------------------------------------------------------------------------
    def _build_for(self, variables: Sequence[Variable]) -> None:
        """Call `build` where there are variables not seen before, with all that there are then, in their order."""
        new = [variable for variable in variables if id(variable) not in self._places]
        if new or not self.built:
            self.build([*self.parameters, *new])
        self._is_whole = self._are_all(variables)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Variables of a copy are others than those of the original: they are found by their new identities."""
        vars(self).update(state)
        self._places = {id(variable): place for place, variable in enumerate(self.parameters)}

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of the variables not seen before. Called before a step that meets such; again, it keeps all.
        """
        for variable in variables:
            if id(variable) not in self._places:
                self._places[id(variable)] = len(self.parameters)
                self.parameters.append(variable)
        for name in self._all_slot_names():
            if name in self._added_slots:
                continue                   # they are for the subclass's `build` to make
            slots = self.slots.setdefault(name, [])
            for variable in self.parameters[len(slots):]:
                slots.append(self.initial_slot(name, variable))
        self.built, self._is_whole = True, self._are_all(variables)

    def _are_all(self, variables: Sequence[Variable]) -> bool:
        """Whether `variables` are all of `parameters`, in their order."""
        return len(variables) == len(self.parameters) and all(map(operator.is_, variables, self.parameters))

    def _all_slot_names(self) -> tuple[str, ...]:
        extra = ("accumulator",) if self.gradient_accumulation_steps else ()
        return (*self.slot_names, *extra, *(("average",) if self.use_ema else ()))

    def initial_slot(self, name: str, variable: Variable) -> Tensor:
        """The value that slot `name` of a variable starts from: zeros, or for averages the variable itself."""
        values = variable.numpy() if name == "average" else np.zeros(variable.shape)
        return asarray(np.array(values, in_numpy(variable.dtype)), variable.dtype)

    def slot(self, name: str, variables: Sequence[Variable]) -> list[Tensor]:
        """The tensors of slot `name` that belong to `variables`, in their order."""
        slots = self.slots[name]
        return slots if self._is_whole else [slots[self._places[id(variable)]] for variable in variables]

    @property
    def variables(self) -> list[Tensor]:
        """All of the state: the number of steps and the learning rate as they are now, then every slot.

        Made for this list, but for slots that are Variables: assigning to them sets the optimizer's state.
        """
        counts = [Setting(np.int64(self.calls), "iteration", lambda value: setattr(self, "calls", int(value))),
                  Setting(np.float32(self._rate()), "learning_rate",
                          lambda value: setattr(self, "learning_rate", float(value)))]
        return [*counts, *(slot if isinstance(slot, Variable) else Slot.of(slot, f"{variable.name}_{name}")
                           for name, slots in self.slots.items()
                           for slot, variable in zip(slots, self.parameters, strict=False))]

    # -- for rules of one's own, in Keras's names ---------------------------------------------------------------------
    def add_variable_from_reference(self, reference_variable: Variable, name: str | None = None,
                                    initializer: Identifier = "zeros") -> Variable:
        """The Variable of slot `name` that belongs to a variable given to `build`: of its shape, saved with the model.

        >>> class Heavy(Optimizer):
        ...     def build(self, variables):
        ...         super().build(variables)
        ...         self.speeds = self.add_optimizer_variables(variables, "speed")
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         speed = self.speeds[self._get_variable_index(variable)]
        ...         self.assign(speed, 0.9 * speed - learning_rate * gradient)
        ...         self.assign_add(variable, speed)
        >>> weight = Variable([1., 2.])
        >>> Heavy(0.5).apply_gradients([(asarray([2., 0.]), weight)]), weight.numpy()
        (1, array([0., 2.], dtype=float32))
        """
        name = name or "var"
        if name not in self.slot_names:
            self.slot_names = (*self.slot_names, name)
            self._added_slots.add(name)
            self.slots[name] = []
        slots, initial = self.slots[name], initializers.get(initializer)
        for variable in self.parameters[len(slots):]:
            value = initial(variable.shape, dtype=variable.dtype)
            slots.append(Variable(value, trainable=False, name=f"{variable.name}_{name}"))
        slot: Variable = slots[self._get_variable_index(reference_variable)]
        return slot

    def add_optimizer_variables(self, trainable_variables: Sequence[Variable], name: str | Sequence[str],
                                initializer: Any = "zeros") -> Any:
        """The Variables of slot `name` for a list of variables; for several names a tuple of such lists."""
        if not isinstance(name, str):
            several = initializer if isinstance(initializer, (list, tuple)) else [initializer] * len(name)
            return tuple(self.add_optimizer_variables(trainable_variables, one, its)
                         for one, its in zip(name, several, strict=True))
        return [self.add_variable_from_reference(variable, name, initializer) for variable in trainable_variables]

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a variable among those given to `build`."""
        place = self._places.get(id(variable))
        if place is None:
            raise ValueError(f"{self.name}: a variable must be known before its slots are; got "
                             f"{getattr(variable, 'name', variable)!r}; call super().build(variables) first")
        return place

    def assign(self, variable: Variable, value: ArrayLike) -> None:
        """`variable.assign(value)`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: ArrayLike) -> None:
        """`variable.assign_add(value)`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: ArrayLike) -> None:
        """`variable.assign_sub(value)`."""
        variable.assign_sub(value)

    # -- the parts around the rule ------------------------------------------------------------------------------------
    def _present(self, gradients: Sequence[Tensor | None],
                 variables: Sequence[Variable]) -> tuple[Sequence[Tensor], Sequence[Variable]]:
        if len(gradients) != len(variables):
            raise ValueError(f"{self.name}: one gradient for each variable; got {len(gradients)} gradients, "
                             f"{len(variables)} variables")
        if any(gradient is None for gradient in gradients):
            missing = [variable for gradient, variable in zip(gradients, variables, strict=True) if gradient is None]
            if len(missing) == len(variables):
                raise ValueError(f"{self.name}: at least one variable must have a gradient; got None for all "
                                 f"{len(variables)}; was the loss computed from them inside the tape?")
            names = ", ".join(repr(variable.name) for variable in missing)
            warn(f"{self.name}: no gradient for {names}; the loss does not depend on them")
            kept = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
            gradients, variables = [g for g, _ in kept], [v for _, v in kept]
        present = cast("Sequence[Tensor]", gradients)
        for gradient, variable in zip(present, variables, strict=True):
            if not isinstance(variable, Variable):
                raise TypeError(f"{self.name}: what is changed must be a Variable; got {type(variable).__name__}, its "
                                f"gradient {type(gradient).__name__}")
            if not hasattr(gradient, "shape"):
                raise TypeError(f"{self.name}: the gradient of '{variable.name}' must be a tensor; got "
                                f"{type(gradient).__name__}")
            if gradient.shape != variable.shape:
                raise ValueError(f"{self.name}: a gradient must have its variable's shape; got {gradient.shape}, "
                                 f"'{variable.name}' {variable.shape}")
        return present, variables

    def _clipped(self, gradients: Sequence[Tensor]) -> Sequence[Tensor]:
        if self.clipvalue is not None:
            return [ops.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in gradients]
        if self.clipnorm is not None:
            factors = [_shortening([gradient], self.clipnorm) for gradient in gradients]
        elif self.global_clipnorm is not None:
            factors = [_shortening(gradients, self.global_clipnorm)] * len(gradients)
        else:
            return gradients
        if self.takes_factors:
            self.factors["gradient_factor"] = factors
            return gradients
        return [gradient * factor for gradient, factor in zip(gradients, factors, strict=True)]

    def _accumulated(self, gradients: Sequence[Tensor], variables: Sequence[Variable]) -> list[Tensor] | None:
        """The mean gradient of the last steps when it is time to use it, else None."""
        sums = self.slot("accumulator", variables)
        steps = self.gradient_accumulation_steps or 1
        if (self.calls + 1) % steps:
            for total, gradient in zip(sums, gradients, strict=True):
                total[...] = total + gradient
            return None
        share = 1.0 / steps
        means = [(total + gradient) * share for total, gradient in zip(sums, gradients, strict=True)]
        for total in sums:
            total[...] = 0.0
        return means

    def _decay(self, variables: Sequence[Variable], share: float) -> None:
        factor = 1.0 - share
        factors = [factor if self._is_decayed(variable) else 1.0 for variable in variables]
        if self.takes_factors:
            self.factors["parameter_factor"] = factors
            return
        for variable, factor in zip(variables, factors, strict=True):
            variable.assign(variable * factor)

    def _is_decayed(self, variable: Variable) -> bool:
        return not any(variable is one for one in self._undecayed) and (
            not any(name in variable.name for name in self._undecayed_names))

    def exclude_from_weight_decay(self, var_list: Iterable[Variable] | None = None,
                                  var_names: Iterable[str] | None = None) -> None:
        """Leave these variables, or those whose name contains one of `var_names`, out of the weight decay."""
        self._undecayed = list(var_list or ())
        self._undecayed_names = tuple(var_names or ())

    def _average(self, variables: Sequence[Variable]) -> None:
        momentum = self.ema_momentum if self.iterations else 0.0            # the first average is the first value
        for average, variable in zip(self.slot("average", variables), variables, strict=True):
            average[...] = momentum * average + (1.0 - momentum) * variable
        if self.ema_overwrite_frequency and (self.iterations + 1) % self.ema_overwrite_frequency == 0:
            self.finalize_variable_values(variables)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Put the moving averages in the place of the weights, where use_ema is on."""
        if self.use_ema and self.slots.get("average"):
            known = [variable for variable in var_list if id(variable) in self._places]
            self._is_whole = self._are_all(known)
            for average, variable in zip(self.slot("average", known), known, strict=True):
                variable.assign(average)


def _positive(optimizer: Optimizer, name: str, value: float | None) -> float | None:
    if value is not None and not value > 0:
        raise ValueError(f"{type(optimizer).__name__}: {name} must be positive; got {value}")
    return value


def _shortening(gradients: Sequence[Tensor], limit: float) -> float:
    """What makes gradients that are longer than `limit`, all together, as long as that."""
    norm = joint_length(gradients)
    return limit / norm if norm > limit else 1.0
