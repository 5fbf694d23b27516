"""The walk back over a tape's records: pruning, un-broadcasting and accumulation happen here and nowhere else."""
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import cyops
import cytensor.autodiff.gradients  # noqa: F401 - it fills the registry of rules
from cyops import Record, Strided, look_up, matches
from cytensor.autodiff.fusion import fused_steps
from cytensor.autodiff.rules import NO_GRADIENT, RULES, Rule

Gradients: TypeAlias = dict[int, Strided]      # of the tensors of these identities, so far


def backpropagate(records: list[Any], targets: Sequence[Strided], seeds: Sequence[Strided],
                  sources: Sequence[Strided], *, free: bool,
                  check: Callable[[Record, list[Strided | None]], None] | None = None) -> list[Any]:
    """The gradient of the targets, weighted by the seeds, for each source; None where no record leads to it.

    Tensors are told apart by identity: the records keep every tensor alive that is named here. With `free`, a record is
    dropped as soon as it was walked, so that what it saved goes back to the allocator. `check` is called with each
    record and the gradients that its inputs have after it.
    """
    leading = cyops.lead_back(records, sources)
    gradients: Gradients = {}
    owned: set[int] = set()             # identities of tensors whose gradient so far nothing else can see
    for target, seed in zip(targets, seeds, strict=True):
        _accumulate(gradients, owned, target, seed)
    kept = {id(x) for x in sources}
    fused = fused_steps(records, kept.union(map(id, targets)))
    for i in range(len(records) - 1, -1, -1):
        record = records[i]
        output = id(record.output)
        d = gradients.get(output) if output in kept else gradients.pop(output, None)
        owned.discard(output)
        positions = leading[i]
        if d is not None and positions is not None:
            if i in fused and positions == (0,):       # the targets of the loss are constants
                _accumulate(gradients, owned, fused[i].x, fused[i].gradient(d))
            else:
                _backward(record, positions, d, gradients, owned)
        if check is not None and d is not None:
            check(record, [gradients.get(id(x)) for x in record.inputs])
        if free:
            records[i] = record = d = None
    return [gradients.get(id(source)) for source in sources]


def _backward(record: Record, positions: tuple[int, ...], d: Strided, gradients: Gradients, owned: set[int]) -> None:
    """Adds what `record` passes on of its output's gradient `d` to the gradients of its inputs at `positions`."""
    rule = RULES.get(record.op)
    if rule is None:
        if record.op in NO_GRADIENT:
            return
        raise TypeError(f"gradient: {record.op} has no gradient rule")
    if rule.joint is not None and not cyops.is_recording():
        _backward_jointly(rule, rule.joint, record, positions, d, gradients, owned)
        return
    if rule.before is not None:
        d = rule.before.function(*look_up(record, rule.before.needs, rule.inputs, d, 0))
    for i in positions:
        derivative = rule.of(i)
        if derivative is not None:
            gradient = derivative.function(*look_up(record, derivative.needs, rule.inputs, d, i))
            _accumulate(gradients, owned, record.inputs[i], gradient)


def _backward_jointly(rule: Rule, joint: Callable[..., list[Strided]], record: Record, positions: tuple[int, ...],
                       d: Strided, gradients: Gradients, owned: set[int]) -> None:
    """The same where one function gives all gradients, some of them added to what is known in place."""
    identities = [id(record.inputs[i]) for i in positions]
    known = [gradients[x] if x in owned else None for x in identities]
    names = rule.needs(positions)
    found = joint(positions, known, **dict(zip(names, look_up(record, names, rule.inputs, d, 0))))  # noqa: B905
    for i, before, gradient in zip(positions, known, found, strict=True):
        if before is None or gradient is not before:
            _accumulate(gradients, owned, record.inputs[i], gradient, is_fresh=True)


def _accumulate(gradients: Gradients, owned: set[int], x: Strided, gradient: Strided, is_fresh: bool = False) -> None:
    """Adds to the gradient of `x`, in its shape and dtype."""
    if not matches(gradient, x):
        if gradient.shape != x.shape:
            gradient = _sum_to(gradient, x.shape)
        if gradient.dtype != x.dtype:
            gradient = cyops.astype(gradient, x.dtype)
    known = gradients.get(id(x))
    gradients[id(x)] = gradient if known is None else known + gradient
    if is_fresh or known is not None:
        owned.add(id(x))


def _sum_to(gradient: Strided, shape: tuple[int, ...]) -> Strided:
    """Undoes broadcasting: sums over the axes along which `shape` was stretched, or stretches to it."""
    extra = gradient.ndim - len(shape)
    if extra < 0 or any(n == 1 != m for n, m in zip(gradient.shape[extra:], shape, strict=True)):
        return cyops.broadcast_to(gradient, shape)
    stretched = [extra + i for i, n in enumerate(shape) if n == 1 != gradient.shape[extra + i]]
    total = cyops.sum(gradient, axis=(*range(extra), *stretched), keepdims=False)
    return cyops.reshape(total, shape)
