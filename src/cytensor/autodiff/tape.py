"""GradientTape: records what is computed from watched tensors and differentiates it backward.

The recording is cyops.Recorder's, in compiled code; this file says what it means (TensorFlow's `tf.GradientTape`), and
backward.py goes back over the records.
"""
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import cyops
from cyops import Recorder, Strided
from cytensor.autodiff.backward import backpropagate
from cytensor.nested import flatten, pack_like
from cytensor.ops import broadcast_to, eye, reshape, stack, zeros, zeros_like
from cytensor.tensor import Tensor, Variable, as_tensor, asarray
from cytensor.types import Nested
from cytensor.user_warnings import warn


class _Checking(threading.local):
    """What looks at gradients while `debugging.check_numerics` is on; one per thread."""
    checker: Any = None

    def __init__(self) -> None:
        self.tapes: list[GradientTape] = []      # that record now, the outermost first


_checking = _Checking()


class GradientTape:
    """Records the ops of a `with` block on watched tensors, for reverse-mode differentiation.

    GradientTape(persistent=False, watch_accessed_variables=True). Trainable Variables are watched as soon as an op
    reads them, other floating tensors after `watch(x)`. `gradient(target, sources)` may be called once, or any number
    of times when `persistent`. Tapes nest: an inner tape's gradients are themselves recorded by an outer one. While the
    block runs, writing into a recorded tensor raises ValueError; `Variable.assign` may, and a saved value overwritten
    in this way raises RuntimeError at `gradient`.

    >>> import cytensor as ct
    >>> x = ct.Variable(3.)
    >>> with ct.GradientTape() as tape:
    ...     y = x ** 2 + 2 * x
    >>> tape.gradient(y, x)
    <Tensor shape=() dtype=float32: 8.>
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._recorder = Recorder(watch_accessed_variables)
        self._persistent = persistent
        self._is_used = False
        self._ready: Callable[[int, Any, bool], None] | None = None        # told of each gradient when it is whole
        # Under `check_numerics`: (layer, its first record, the one behind its last).
        self._calls: list[tuple[Any, int, int]] = []

    def __repr__(self) -> str:
        state = "recording" if self._recorder.is_active else "used" if self._is_used else "not recording"
        return f"<GradientTape {state}, {len(self._recorder.records)} records{', persistent' * self._persistent}>"

    def __enter__(self) -> Self:
        if self._is_used:
            raise RuntimeError("GradientTape: its gradient was taken, so it cannot record again; make a new tape")
        self._recorder.start()
        _checking.tapes.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _checking.tapes.remove(self)
        if self._recorder.is_active:
            self._recorder.stop()

    def watch(self, tensor: Nested) -> None:
        """Watches floating tensors that are not trainable Variables: one, or a nested structure of them.

        TypeError for what is not a tensor or not floating.
        """
        for leaf in flatten(tensor):
            if not isinstance(leaf, Strided):
                raise TypeError(f"watch: only tensors can be watched; got {type(leaf).__name__}; use asarray first")
            self._recorder.watch(leaf)

    def watched_variables(self) -> tuple[Variable, ...]:
        """The Variables watched so far, in the order they were first read, as a tuple."""
        return tuple(x for x in self._recorder.watched if isinstance(x, Variable))

    @contextlib.contextmanager
    def stop_recording(self) -> Iterator[None]:
        """A block in which this tape records nothing and recorded tensors may be written."""
        self._recorder.pause()
        try:
            yield
        finally:
            self._recorder.resume()

    def reset(self) -> None:
        """Forgets everything recorded and watched so far."""
        self._recorder.clear()
        self._calls = []

    def gradient(self, target: Nested, sources: Nested, output_gradients: Nested = None,
                 unconnected_gradients: str = "none") -> Nested:
        """The gradient of `target` with respect to each source, in the structure of `sources`.

        target: a floating tensor, or a nested structure whose gradients are summed; a target that is not a scalar is
        summed too, or weighted by `output_gradients` of its shape. Each gradient has the shape and dtype of its source
        and memory of its own.
        An unconnected source gives None and a warning that says why, or zeros with `unconnected_gradients="zero"`.

        RuntimeError when a tape that is not persistent is asked twice, or when a saved value was overwritten; TypeError
        for a target that is not a floating tensor; ValueError for output gradients of another shape.
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"gradient: unconnected_gradients must be 'none' or 'zero'; got {unconnected_gradients!r}")
        if self._is_used:
            raise RuntimeError("gradient: this tape is not persistent, so it gives one gradient; make it with "
                               "GradientTape(persistent=True)")
        targets = flatten(target)
        _check_targets(targets)
        seeds: list[Tensor | None] = [None] * len(targets)
        callers: list[Tensor] = []
        if output_gradients is not None:
            given = [output_gradients] if isinstance(target, Strided) else flatten(output_gradients)
            seeds = _seeds(targets, given)
            callers = [seed for seed in seeds if seed is not None]
        wanted = flatten(sources)
        for source in wanted:
            if not isinstance(source, Strided):
                raise TypeError(f"gradient: sources must be tensors; got {type(source).__name__}")
        if not self._persistent:
            self._is_used = True
            if self._recorder.is_active:
                self._recorder.stop()
        checker = _checking.checker
        found = backpropagate(self._recorder.records, targets, seeds, wanted,
                              free=not self._persistent and checker is None, ready=self._ready)
        if checker is not None:
            checker.gradients(self._recorder.records, self._calls, targets, seeds, wanted, found)
        found = cyops.separate(found, callers)
        for i, gradient in enumerate(found):
            if gradient is not None:
                found[i] = as_tensor(gradient)
            elif unconnected_gradients == "zero":
                found[i] = zeros_like(wanted[i])
            else:
                warn(f"gradient: source {i} of shape {wanted[i].shape} is not connected to the target: "
                     f"{self._why_unconnected(wanted[i], targets)}")
        if not self._persistent:
            self.reset()
        return pack_like(sources, found)

    def jacobian(self, target: Strided, sources: Nested, unconnected_gradients: str = "none",
                 parallel_iterations: int | None = None, experimental_use_pfor: bool = True) -> Nested:
        """The derivative of each element of `target` with respect to each source, in the structure of `sources`.

        target: floating, shape t; a source of shape s gives (*t, *s). The tape is walked once for each element. The
        last two arguments change nothing. Errors and unconnected sources as in `gradient`.

        >>> import cytensor as ct
        >>> x = ct.Variable([1., 2.])
        >>> with ct.GradientTape() as tape:
        ...     y = x * x
        >>> tape.jacobian(y, x).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
        """
        return _jacobians(self, target, sources, unconnected_gradients)

    def batch_jacobian(self, target: Strided, source: Strided, unconnected_gradients: str = "none",
                       parallel_iterations: int | None = None, experimental_use_pfor: bool = True) -> Tensor | None:
        """The derivative of each sample of `target` with respect to the same sample of `source`.

        target: (n, *t), source: (n, *s) -> (n, *t, *s), where no sample depends on another. ValueError where the first
        axes differ.
        """
        return _batch_jacobian(self, target, source, unconnected_gradients)

    def _why_unconnected(self, source: Strided, targets: list[Any]) -> str:
        if source.dtype.kind != "f":
            return f"its dtype {source.dtype} is not floating"
        if isinstance(source, Variable) and source.trainable and not self._recorder.tracks(source):
            return "no op read it while the tape recorded"
        if not self._recorder.tracks(source):
            return ("it was not watched while the tape recorded; call tape.watch(x) before using it, and compute from "
                    "the tensor itself")
        if not any(self._recorder.tracks(target) for target in targets):
            return ("the target was not computed from watched tensors inside the tape; a detour through NumPy, float() "
                    "or stop_gradient breaks the chain")
        return ("no recorded op leads from it to the target; stop_gradient, an integer or bool step or a detour "
                "through NumPy may have broken the chain")


def active_tapes() -> list[GradientTape]:
    """The tapes that record in this thread now."""
    return [tape for tape in _checking.tapes if tape._recorder.is_active]


def _check_targets(targets: list[Any]) -> None:
    for target in targets:
        if not isinstance(target, Strided) or target.dtype.kind != "f":
            kind = f"dtype {target.dtype}" if isinstance(target, Strided) else type(target).__name__
            raise TypeError(f"gradient: the target must be a floating tensor; got {kind}")


def _seeds(targets: list[Strided], output_gradients: list[Any]) -> list[Tensor | None]:
    """What the caller gives for each target as its gradient with respect to itself; None, ones, where it does not."""
    if len(output_gradients) != len(targets):
        raise ValueError(f"gradient: one output gradient per target; got {len(output_gradients)} for {len(targets)}")
    return [None if given is None else _checked_seed(asarray(given, x.dtype), x)
            for x, given in zip(targets, output_gradients, strict=True)]


def _checked_seed(seed: Tensor, target: Strided) -> Tensor:
    if seed.shape != target.shape:
        raise ValueError(f"gradient: an output gradient has the shape of its target; got {seed.shape} for "
                         f"{target.shape}")
    return seed


# -- Jacobians --------------------------------------------------------------------------------------------------------
def _rows(tape: GradientTape, target: Strided, sources: Nested, unconnected_gradients: str,
          seeds: Sequence[Tensor]) -> list[list[Any]]:
    """The gradients of the sources for each seed; the tape is used up at the end, where it is not persistent."""
    persistent, tape._persistent = tape._persistent, True
    try:
        rows = [flatten(tape.gradient(target, sources, seed, unconnected_gradients)) for seed in seeds]
    finally:
        tape._persistent = persistent
    if not persistent:
        if tape._recorder.is_active:
            tape._recorder.stop()
        tape._is_used = True
        tape.reset()
    return rows


def _jacobians(tape: GradientTape, target: Strided, sources: Nested, unconnected_gradients: str) -> Nested:
    _check_targets([target])
    count = target.size
    seeds = [reshape(row, target.shape) for row in eye(count, dtype=target.dtype)]
    rows = _rows(tape, target, sources, unconnected_gradients, seeds)
    found: list[Any] = []
    for i, source in enumerate(flatten(sources)):
        parts = [row[i] for row in rows]
        shape = (*target.shape, *source.shape)
        found.append(zeros(shape, source.dtype) if not parts else None if parts[0] is None else
                     reshape(stack(parts), shape))
    return pack_like(sources, found)


def _batch_jacobian(tape: GradientTape, target: Strided, source: Strided, unconnected_gradients: str) -> Tensor | None:
    _check_targets([target])
    if not isinstance(source, Strided):
        raise TypeError(f"batch_jacobian: source must be a tensor; got {type(source).__name__}")
    if not target.ndim or target.shape[:1] != source.shape[:1]:
        raise ValueError(f"batch_jacobian: target and source must have as many samples; got shapes {target.shape}, "
                         f"{source.shape}")
    count = target.size // max(1, target.shape[0])
    seeds = [broadcast_to(reshape(row, (1, *target.shape[1:])), target.shape)
             for row in eye(count, dtype=target.dtype)]
    rows = _rows(tape, target, source, unconnected_gradients, seeds)
    if rows and rows[0][0] is None:
        return None
    shape = (*target.shape, *source.shape[1:])
    return reshape(stack([row[0] for row in rows], axis=1), shape) if rows else zeros(shape, source.dtype)
