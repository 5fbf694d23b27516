"""Finding NaN and infinity where they arise, and checking gradients against differences.

`check_numerics` costs a pass over every layer's output and every gradient; when one is not finite, the layer runs once
more under a recorder to find the op.
"""
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn, TypeAlias

import numpy as np

import cyops
from cyops import Record, Strided
from cytensor.autodiff.backward import backpropagate
from cytensor.autodiff.tape import GradientTape, _checking
from cytensor.layers import base
from cytensor.layers.base import Layer
from cytensor.layers.naming import named_weights
from cytensor.losses import Loss
from cytensor.tensor import Tensor, as_tensor, asarray
from cytensor.training.run import Run
from cytensor.types import ArrayLike, Nested
from cytensor.user_warnings import warn

__all__ = ["check_numerics", "gradcheck"]

Call: TypeAlias = tuple[Layer, int, int]           # of a layer, and from which to which record of the tape


# -- check_numerics ---------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def check_numerics() -> Iterator[None]:
    """Within the block, the first NaN or infinity in a layer's output, a loss or a gradient raises FloatingPointError.

    The message names layer, op, direction and samples; inside `fit`, a note names epoch and batch. In a loop of one's
    own, `tape.gradient` looks at its target and at what it finds. An op by itself, in no layer and on no tape, is not
    looked at.

    >>> from cytensor.layers import Activation
    >>> try:
    ...     with check_numerics():
    ...         Activation("exponential")([[1000.]])
    ... except FloatingPointError as error:
    ...     print(str(error)[:70])
    check_numerics: forward, layer 'activation' (Activation), op exp: 1 of
    """
    outer = base._context.checker
    base._context.checker = _checking.checker = _Checker()
    try:
        yield
    finally:
        base._context.checker = _checking.checker = outer


class _Checker:
    """What layers, tapes and `train_step` call while `check_numerics` is on."""

    def __init__(self) -> None:
        self.loss_name = ""
        self.samples: int | None = None
        self.rows: Sequence[int] | None = None     # in `fit`, the numbers of the batch's samples in the caller's data

    def enter(self) -> list[tuple[GradientTape, int]]:
        """(tape, number of its records) for each tape that records while a layer is called."""
        return [(tape, len(tape._recorder.records)) for tape in _checking.tapes]

    def output(self, layer: Layer, x: Any, result: Any, entered: list[tuple[GradientTape, int]]) -> None:
        """Raise where a layer's output is not finite; else note on the tapes which records are the layer's."""
        if not isinstance(result, Tensor) or _is_finite(result):
            for tape, first in entered:
                tape._calls.append((layer, first, len(tape._recorder.records)))
            self.samples = result.shape[0] if isinstance(result, Tensor) and result.ndim else None
            return
        op = _first_bad_op(layer, x)
        named = named_weights(layer)
        bad = [path for path, variable in named if not _is_finite(variable)]
        cause = f"its weights {', '.join(bad)} are not finite already" if bad else f"its input {_range(x)}"
        raise FloatingPointError(f"check_numerics: forward, layer '{layer.name}' ({type(layer).__name__}){op}: "
                                 f"{self.described(result)}; {cause}")

    def loss(self, given: Any, y: Nested, y_pred: Nested, value: Tensor) -> None:
        """Raise where a loss is not finite, the output of the model being so."""
        loss = given if isinstance(given, Loss) else None      # of several outputs: what compile was given
        self.loss_name = name = "loss" if loss is None else f"loss '{loss.name}'"
        if np.isfinite(float(value)):
            return
        where = ""
        if loss is not None:
            values = loss.values(y, y_pred)
            where = f": {self.described(values)}"
        raise FloatingPointError(f"check_numerics: forward, {name}{where}; the predictions lie {_range(y_pred)[5:]}")

    def gradients(self, records: Sequence[Record], calls: Sequence[Call], targets: Sequence[Tensor], seeds: Any,
                  sources: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> None:
        """Raise where a target of a tape is not finite, or a gradient; the tape is walked once more to find the op."""
        for target in targets:
            if not _is_finite(as_tensor(target)):
                self._raise_forward(records, calls, as_tensor(target))
        bad = [source for source, gradient in zip(sources, gradients, strict=True)
               if gradient is not None and not _is_finite(as_tensor(gradient))]
        if not bad:
            return
        paths = {id(variable): path for layer, _, _ in calls for path, variable in named_weights(layer)}
        records = list(records)

        def check(record: Record, passed: Sequence[Strided | None]) -> None:
            for x, gradient in zip(record.inputs, passed, strict=True):
                if gradient is not None and not _all_finite((gradient,)):
                    self._raise(record, as_tensor(x), as_tensor(gradient), _place(records, record, calls), paths)

        backpropagate(records, targets, seeds, sources, free=False, check=check)
        of = f"'{paths[id(bad[0])]}'" if id(bad[0]) in paths else f"a source of shape {bad[0].shape}"
        raise FloatingPointError(f"check_numerics: backward, gradient of {of}: values are not finite")

    def _raise_forward(self, records: Sequence[Record], calls: Sequence[Call], target: Tensor) -> NoReturn:
        """For a target that is not finite: the first op on the tape that made something not finite of finite values."""
        for record in records:
            if not _all_finite((record.output,)) and _all_finite(record.inputs):
                layer = _place(records, record, calls)
                where = "" if layer is None else f"layer '{layer.name}' ({type(layer).__name__}), "
                raise FloatingPointError(f"check_numerics: forward, {where}op {record.op}: "
                                         f"{self.described(as_tensor(record.output))}")
        raise FloatingPointError(f"check_numerics: forward, the target of gradient: {self.described(target)}")

    def _raise(self, record: Record, x: Tensor, gradient: Tensor, layer: Layer | None,
               paths: dict[int, str]) -> NoReturn:
        where = self.loss_name or "outside of layers"
        if layer is not None:
            where = f"layer '{layer.name}' ({type(layer).__name__})"
        of = f"'{paths[id(x)]}'" if id(x) in paths else "its input"
        has_samples = gradient.shape[:1] == (self.samples,)
        rows = self.described(gradient) if has_samples else f"{_count(gradient)} values are not finite"
        raise FloatingPointError(f"check_numerics: backward, {where}, op {record.op}, gradient of {of} "
                                 f"{gradient.shape}: {rows}; the gradient that reached the op is, {of} {_range(x)}")


    def described(self, x: Tensor) -> str:
        """`3 of 32 values are not finite, in samples [7]`; the samples numbered as in the data that `fit` was given."""
        bad = ~np.isfinite(np.atleast_1d(x.numpy()))
        samples = np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
        if self.rows is not None and len(self.rows) == len(bad):
            samples = np.sort(np.asarray(self.rows)[samples])
        more = ", ..." if len(samples) > 10 else ""
        return f"{_count(x)} values are not finite, in samples [{', '.join(map(str, samples[:10]))}{more}]"


def _place(records: Sequence[Record], record: Record, calls: Sequence[Call]) -> Layer | None:
    """The innermost layer in which an op was recorded; None outside of all, as in the loss."""
    at = next(i for i, one in enumerate(records) if one is record)
    around = [(behind - first, layer) for layer, first, behind in calls if first <= at < behind]
    return min(around, key=lambda span: span[0])[1] if around else None        # of equal ones the inner, which is first


def _is_finite(x: Tensor) -> bool:
    values = x.numpy()
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())


def _count(x: Tensor) -> str:
    bad = ~np.isfinite(x.numpy())
    return f"{int(bad.sum())} of {bad.size}"


def _range(x: Any) -> str:
    if not isinstance(x, Tensor) or x.size == 0:
        return "is no single tensor"
    values = x.numpy()
    bad = int((~np.isfinite(values)).sum()) if values.dtype.kind == "f" else 0
    return f"has {bad} values that are not finite" if bad else f"lies in [{values.min():.4g}, {values.max():.4g}]"


def _first_bad_op(layer: Layer, x: Any) -> str:
    """`, op exp`: the first op of the layer that made something not finite of finite operands."""
    recorder = cyops.Recorder(True)
    recorder.start()
    try:
        if isinstance(x, Tensor) and x.dtype.kind == "f":
            recorder.watch(x)
        layer.call(x)
    finally:
        recorder.stop()
    for record in recorder.records:
        if not _all_finite((record.output,)) and _all_finite(record.inputs):
            return f", op {record.op}"
    return ""


def _all_finite(tensors: Iterable[Strided | None]) -> bool:
    return all(np.isfinite(np.asarray(x)).all() for x in tensors if x is not None and x.dtype.kind == "f")


# -- what `fit` says of a loss that is not finite ----------------------------------------------------------------------
def not_finite_weights(model: Layer) -> list[str]:
    """The paths of the weights that have a NaN or an infinity."""
    return [path for path, weight in named_weights(model)
            if weight.dtype.kind == "f" and not np.isfinite(weight.numpy()).all()]


def warn_not_finite(run: Run, epoch: int, step: int, loss: float, cause: str) -> None:
    """Warn once a run that the loss is not finite, with the likeliest reason."""
    run.warned = True
    if run.bad_weights:
        named = ", ".join(run.bad_weights[:3]) + (", ..." if len(run.bad_weights) > 3 else "")
        hint = f"the weights {named} were not finite already before this batch; "
        hint += ("make the model anew, or load weights that are" if not run.has_trained else
                 "a smaller learning rate, or inputs of a smaller scale, may help")
    else:
        hint = f"in the batch {cause}" if cause else "a smaller learning rate, or inputs of a smaller scale, may help"
    warn(f"fit: the loss became {loss} at epoch {epoch + 1}, batch {step + 1}; {hint}", RuntimeWarning)


# -- gradcheck --------------------------------------------------------------------------------------------------------
def gradcheck(function: Callable[..., Tensor], inputs: ArrayLike | Sequence[ArrayLike], *, step: float = 1e-5,
              tolerance: float = 1e-6, seed: int = 0) -> bool:
    """Whether the gradient of `function` at `inputs` agrees with differences; True, or AssertionError with the numbers.

    function: takes the inputs, returns a tensor; inputs: one array-like or a list of them, computed in float64. One
    random direction is tried: the derivative along it, from the tape, against (f(x + h d) - f(x - h d)) / 2h, the
    output being weighted at random. tolerance: relative to the size of the terms.

    >>> import cytensor as ct
    >>> gradcheck(lambda x, y: ct.exp(x) * y, [[0., 1.], [2., 3.]])
    True
    """
    if not callable(function):
        raise TypeError(f"gradcheck: function must be a function of tensors; got {function!r}")
    given: Sequence[Any] = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    values = [np.array(asarray(x).numpy(), np.float64) for x in given]
    source = np.random.default_rng(seed)
    directions = [source.standard_normal(x.shape) for x in values]
    tensors = [asarray(x) for x in values]
    with GradientTape() as tape:
        tape.watch(tensors)
        result = function(*tensors)
    if not isinstance(result, Tensor):
        raise TypeError(f"gradcheck: function must return a tensor; got {type(result).__name__}")
    weights = source.standard_normal(result.shape)
    gradients = tape.gradient(result, tensors, output_gradients=asarray(weights))
    along = [0.0 if g is None else float((g.numpy() * d).sum()) for g, d in zip(gradients, directions, strict=True)]

    def moved(sign: int) -> float:
        shifted = [asarray(x + sign * step * d) for x, d in zip(values, directions, strict=True)]
        return float((np.asarray(function(*shifted).numpy(), np.float64) * weights).sum())

    ahead, behind = moved(1), moved(-1)
    expected = (ahead - behind) / (2 * step)
    size = sum(map(abs, along)) + abs(expected) + (abs(ahead) + abs(behind)) * 1e-11 / (step * tolerance)
    if not abs(sum(along) - expected) <= tolerance * size:
        raise AssertionError(f"gradcheck: the tape's derivative must equal the difference quotient; "
                             f"got {sum(along)!r} and {expected!r}")
    return True
