"""What is measured: a name, the function of a side that does it, and the arrays it is given."""
from typing import NamedTuple

import numpy as np

from cytensor.types import Array

MILLION = (1000, 1000)


class Work(NamedTuple):
    """One row of the table; `tolerance` is relative to the largest element of the result, for float32."""
    name: str
    function: str
    shapes: tuple[tuple[int, ...], ...]
    tolerance: float

    def arrays(self) -> list[Array]:
        """The operands, float32: from a normal distribution, the same in every run."""
        random = np.random.default_rng(0)
        return [random.normal(size=shape).astype(np.float32) for shape in self.shapes]


WORKS = (
    Work("relu, 1,000,000 elements", "relu", (MILLION,), 0.0),
    Work("a + b, 1,000,000 elements", "add", (MILLION, MILLION), 0.0),
    Work("exp, 1,000,000 elements", "exp", (MILLION,), 1e-6),
    Work("sum, 1,000,000 elements", "sum", (MILLION,), 1e-5),
    Work("softmax, 1000 x 1000", "softmax", (MILLION,), 1e-6),
    Work("a transposed @ b, 512 x 512", "matmul", ((512, 512), (512, 512)), 1e-5),
    Work("(128, 784) @ (784, 512)", "product", ((128, 784), (784, 512)), 1e-5),
    Work("convolution 3 x 3, 32 to 64, (16, 28, 28, 32)", "conv", ((16, 28, 28, 32), (3, 3, 32, 64)), 1e-5),
    Work("training step 784-512-10, 128 samples", "step", ((128, 784), (784, 512), (512, 10)), 1e-4),
)
