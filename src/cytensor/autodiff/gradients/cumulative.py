"""The gradient rules of cumulative sums and products, which arrays.py records."""
import numpy as np

import cyops
from cyops import Strided
from cytensor.arrays import running
from cytensor.autodiff.rules import define


def _sum_gradient(d: Strided, axis: int) -> Strided:
    """Each element is in its own sum and in all after it."""
    return cyops.flip(running("running_sum", np.cumsum, cyops.flip(d, axis), axis), axis)


def _product_gradient(d: Strided, x: Strided, out: Strided, axis: int) -> Strided:
    """What stands before an element times s, where s[i] = d[i] + x[i + 1] s[i + 1]: no division, so zeros may be there.

    The recurrence is solved by doubling its reach: s[i] then depends on s[i + 1], s[i + 2], s[i + 4], ...
    """
    order = (*[i for i in range(x.ndim) if i != axis], axis)
    d, x, out = (cyops.permute_dims(one, order) for one in (d, x, out))
    if x.itemsize < 4:                      # a half: each product would be rounded
        d, x, out = (cyops.astype(one, "float32") for one in (d, x, out))
    count = x.shape[-1]
    if x.size == 0:
        return cyops.permute_dims(d, _inverse(order))
    ones = cyops.ones((*x.shape[:-1], 1), x.dtype)
    total, factor, reach = d, cyops.concat([x[..., 1:], ones], axis=-1), 1
    while reach < count:
        total = cyops.concat([total[..., :-reach] + factor[..., :-reach] * total[..., reach:], total[..., -reach:]], -1)
        factor = cyops.concat([factor[..., :-reach] * factor[..., reach:], factor[..., -reach:]], -1)
        reach *= 2
    before = cyops.concat([ones, out[..., :-1]], axis=-1)
    return cyops.permute_dims(before * total, _inverse(order))


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(order)), key=order.__getitem__))


define("running_sum", x=_sum_gradient)
define("running_product", x=_product_gradient)
