"""The pairwise step of einsum until contract.pyx has one on any strides."""
from typing import Any

from cyops.contract import matmul
from cyops.reshaping import reshape
from cyops.views import permute_dims


def contract(a: Any, axes_a: Any, b: Any, axes_b: Any, axes_out: Any) -> Any:
    """The pairwise step until cyops.contract has one on any strides: a matrix product of merged axes, which copies."""
    lengths = {label: n for labels, x in ((axes_a, a), (axes_b, b)) for label, n in zip(labels, x.shape, strict=True)}
    batch = [label for label in axes_a if label in axes_b and label in axes_out]
    summed = [label for label in axes_a if label not in axes_out]
    rows = [label for label in axes_a if label not in axes_b]
    columns = [label for label in axes_b if label not in axes_a]

    def merged(x: Any, labels: Any, first: Any, second: Any) -> Any:
        moved = permute_dims(x, [labels.index(label) for label in (*batch, *first, *second)])
        sizes = [1, 1]
        for i, group in enumerate((first, second)):
            for label in group:
                sizes[i] *= lengths[label]
        return reshape(moved, (*[lengths[label] for label in batch], *sizes))

    product = matmul(merged(a, axes_a, rows, summed), merged(b, axes_b, summed, columns))
    found = (*batch, *rows, *columns)
    return permute_dims(reshape(product, tuple([lengths[label] for label in found])),
                        [found.index(label) for label in axes_out])
