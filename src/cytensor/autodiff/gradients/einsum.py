"""The gradient rule of einsum: the same op with its labels in other places.

Of a product summed over the labels that the result lacks, the gradient by one operand is the product of `d` and the
other, summed over the labels that this operand lacks. What the operand alone has beside that is put back: an axis that
was summed or stretched repeats, the axes of a label that it has twice get their diagonal.
"""
from collections.abc import Sequence

import cyops
from cyops import Strided
from cytensor.autodiff.rules import define_variadic


def _einsum_gradient(d: Strided, index: int, inputs: Sequence[Strided], terms: Sequence[tuple[int, ...]],
                     out_labels: tuple[int, ...]) -> Strided:
    x, labels = inputs[index], terms[index]
    lengths = dict(zip(labels, x.shape, strict=True))           # one for each label, in order
    operands = [(d, out_labels), *zip(inputs, terms, strict=True)]
    del operands[1 + index]
    others: dict[int, int] = {}
    for other, names in operands:
        others |= {label: n for label, n in zip(names, other.shape, strict=True) if others.get(label, 1) == 1}
    # An axis of length 1 that another operand stretches is summed here, where that is part of the product.
    found = tuple(label for label, n in lengths.items() if label in others and others[label] == n)
    gradient = cyops.contract_labels(
        tuple(operand for operand, _ in operands), tuple(names for _, names in operands), found)
    if len(found) < len(lengths):
        gradient = cyops.reshape(gradient, tuple(n if label in found else 1 for label, n in lengths.items()))
        gradient = cyops.broadcast_to(gradient, tuple(lengths.values()))
    return gradient if len(lengths) == len(labels) else _on_diagonal(gradient, x.shape, labels, tuple(lengths))


def _on_diagonal(d: Strided, shape: tuple[int, ...], labels: tuple[int, ...], names: tuple[int, ...]) -> Strided:
    """`d`, with an axis for each of `names`, where the axes of an operand that share a label run together; else 0."""
    steps = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        steps[axis] = steps[axis + 1] * shape[axis + 1]
    strides = tuple(sum(step for step, label in zip(steps, labels, strict=True) if label == name) for name in names)
    return cyops.scatter_view(d, shape, d.shape, strides, 0)


define_variadic("einsum", _einsum_gradient)
