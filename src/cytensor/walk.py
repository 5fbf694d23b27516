"""The walk back over a tape's records: pruning, un-broadcasting and accumulation happen here and nowhere else."""
import cyops
from cytensor import grads  # noqa: F401 - fills the registry of rules
from cytensor.fusion import fused_steps
from cytensor.rules import NO_GRADIENT, RULES, lookup


def walk(records, targets, seeds, sources, *, free):
    """The gradient of the targets, weighted by the seeds, for each source; None where no record leads to it.

    Tensors are told apart by identity: the records keep every tensor alive that is named here. With `free`, a record is
    dropped as soon as it was walked, so that what it saved goes back to the allocator.
    """
    wanted = _reached_from(records, sources)
    gradients = {}
    for target, seed in zip(targets, seeds, strict=True):
        _accumulate(gradients, target, seed)
    kept = {id(x) for x in sources}
    fused = fused_steps(records, targets, sources)
    for i in range(len(records) - 1, -1, -1):
        record = records[i]
        output = id(record.output)
        d = gradients.get(output) if output in kept else gradients.pop(output, None)
        if d is not None:
            step = fused.get(i)
            if step is None:
                _backward(record, d, gradients, wanted)
            else:
                _accumulate(gradients, step.x, step.gradient(d))
        if free:
            records[i] = None
    return [gradients.get(id(source)) for source in sources]


def _reached_from(records, sources):
    """Identities of the sources and of everything recorded as computed from them."""
    reached = {id(x) for x in sources}
    for record in records:
        if id(record.output) not in reached and any(id(x) in reached for x in record.inputs):
            reached.add(id(record.output))
    return reached


def _backward(record, d, gradients, wanted):
    """Adds what `record` passes on of its output's gradient `d` to the gradients of its wanted inputs."""
    if record.op in NO_GRADIENT:
        return
    rule = RULES.get(record.op)
    if rule is None:
        raise TypeError(f"gradient: {record.op} has no gradient rule")
    if rule.before is not None:
        d = _evaluate(rule, rule.before, record, d, 0)
    for i, x in enumerate(record.inputs):
        if x is None or id(x) not in wanted:
            continue
        derivative = rule.derivatives[""] if rule.variadic else rule.derivatives[rule.inputs[i]]
        if derivative is not None:
            _accumulate(gradients, x, _evaluate(rule, derivative, record, d, i))


def _evaluate(rule, derivative, record, d, index):
    return derivative.function(*[lookup(rule, record, name, d, index) for name in derivative.needs])


def _accumulate(gradients, x, gradient):
    """Adds to the gradient of `x`, in its shape and dtype."""
    if gradient.shape != x.shape:
        gradient = _sum_to(gradient, x.shape)
    if gradient.dtype != x.dtype:
        gradient = cyops.astype(gradient, x.dtype)
    known = gradients.get(id(x))
    gradients[id(x)] = gradient if known is None else known + gradient


def _sum_to(gradient, shape):
    """Undoes broadcasting: sums over the axes along which `shape` was stretched, or stretches to it."""
    extra = gradient.ndim - len(shape)
    if extra < 0 or any(n == 1 != m for n, m in zip(gradient.shape[extra:], shape, strict=True)):
        return cyops.broadcast_to(gradient, shape)
    stretched = [extra + i for i, n in enumerate(shape) if n == 1 != gradient.shape[extra + i]]
    total = cyops.sum(gradient, axis=(*range(extra), *stretched), keepdims=False)
    return cyops.reshape(total, shape)
