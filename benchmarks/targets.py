"""What this project promises of its speed and memory: each target names rows of the tables and whom they are beside."""

from typing import NamedTuple

GEMM, SQUARES = "Matrix product, float32", "Matrix product of squares, float32"
VIEWS, OPS_ON_VIEWS = "Matrix product of views, float32", "Ops on views"
SIZES, SMALL = "Ops by size", "Ten elements"
STEP = "Training step 784-512-10, batch 128, float32", "forward, loss, backward, update by RMSprop"
LOSS = "Softmax cross-entropy, mean, with its gradient"
ARRAYS = ("NumPy", "PyTorch")
LOOPS = "Plain Python loops"


class Target(NamedTuple):
    """`least` is promised of the ratio the fastest of the `peers` / ours, by each of the rows or by their geometric
    mean (`how`); `most` instead is promised of our own figure, in MB. A row is (table, work)."""

    work: str
    peers: tuple[str, ...]
    least: float | None
    rows: list[tuple[str, str]]
    how: str = "each"
    most: float | None = None

    @property
    def key(self):
        """What reasons.py calls it."""
        return f"{self.work} / {', '.join(self.peers)}"


def square(n):
    return SQUARES, f"({n}, {n}) x ({n}, {n})"


def product(m, k, n):
    return GEMM, f"({m}, {k}) x ({k}, {n})"


def by_size(name):
    return [(SIZES, f"{name}, {size}") for size in ("1e3", "1e5", "1e6", "1e7", "3e7")]


LARGE = [product(128, 784, 512), product(784, 128, 512), square(512), square(1024), square(2048)]
THIN = [product(8, 1024, 4096), product(4096, 1024, 8), product(128, 512, 10), product(1, 784, 512)]
ELEMENTWISE = ("relu", "add", "bias add", "sum", "max")
COPY = OPS_ON_VIEWS, "copy of a (4096, 2048) transpose"
PEAK = "Peak memory", "cytensor train, one epoch of MNIST"
FIT = "fit, an epoch of MNIST", "784-512-10, batch 128, RMSprop"
FIT_OVERHEAD = "fit beside its own steps, an epoch of MNIST", "validation, early stopping, checkpoint and bar"
TEXTBOOK = "Textbook loop, an epoch of MNIST", "784-512-10, batch 128"


def of_views():
    shapes = ("(512, 512) x (512, 512)", "(128, 784) x (784, 512)")
    for layout in ("transposed", "sliced", "reversed"):
        rows = [(VIEWS, f"{shape}, {layout}") for shape in shapes]
        yield Target(f"matrix product of {layout} operands", ("cytensor, contiguous",), 0.9, rows)


BFLOAT16 = [("Matrix product, bfloat16", f"({n}, {n}) x ({n}, {n})") for n in (512, 1024)]

TARGETS = [
    Target("training step 784-512-10, batch 128, RMSprop", ("PyTorch (foreach)", "PyTorch (loop)"), 1.7, [STEP]),
    Target("training step 784-512-10, batch 128, RMSprop", ("JAX (jit)",), 1.7, [STEP]),
    Target("fit, an epoch of MNIST", ("Keras on TensorFlow", "Keras on TensorFlow (XLA)"), 3.0, [FIT]),
    Target("fit, an epoch of MNIST", ("Keras on JAX",), 1.7, [FIT]),
    Target("fit with everything on, at most 10 % over its steps", ("the bare steps",), 1 / 1.1, [FIT_OVERHEAD]),
    Target("textbook loop, an epoch of MNIST", ("TensorFlow, eager",), 5, [TEXTBOOK]),
    Target("textbook loop, an epoch of MNIST", ("PyTorch, eager",), 1.4, [TEXTBOOK]),
    *(Target(f"matrix product {row[1]}", ARRAYS, 0.95, [row]) for row in LARGE),
    Target("these five products", ARRAYS, 1.0, LARGE, "mean"),
    *(Target(f"matrix product {row[1]}", ARRAYS, 1.2, [row]) for row in [square(64), square(32), square(8), *THIN]),
    *(
        Target(f"bfloat16, {row[1]}", (peer,), least, [row])
        for row in BFLOAT16
        for peer, least in (("cytensor, float32", 1.6), ("PyTorch", 1.0))
    ),
    *of_views(),
    *(Target(f"{name}, 1e3 to 3e7 elements", ARRAYS, 1.0, by_size(name)) for name in ELEMENTWISE),
    Target(
        "these five, 1e3 to 3e7 elements", ARRAYS, 1.5, [row for name in ELEMENTWISE for row in by_size(name)], "mean"
    ),
    *(Target(COPY[1], (peer,), least, [COPY]) for peer, least in (("PyTorch", 3.0), ("NumPy", 8.0))),
    *(Target(f"{name}, 1e6 elements", ARRAYS, 1.3, [(SIZES, f"{name}, 1e6")]) for name in ("exp", "tanh", "sigmoid")),
    Target("softmax cross-entropy with gradient, (128, 10)", ("PyTorch",), 10.0, [(LOSS, "(128, 10), one call")]),
    Target("softmax cross-entropy with gradient, (4096, 1000)", ("PyTorch",), 1.5, [(LOSS, "(4096, 1000), one call")]),
    Target("a + b, ten elements", ("NumPy",), 1.7, [(SMALL, "a + b")]),
    Target(
        "a + b, ten elements, recorded", ("PyTorch",), 3.0, [(SMALL, "a + b, 100 times, recorded for the gradient")]
    ),
    *(Target(f"{name}, ten elements", ("NumPy",), 0.7, [(SMALL, name)]) for name in ("slice", "transpose", "reshape")),
    *(
        Target(work, ("PyTorch, no_grad",), least, [("Inference 784-512-10, NumPy in and out", work)])
        for work, least in (("predict, 1 row", 1.5), ("predict, 10000 rows", 1.4))
    ),
    Target("import cytensor, at most 1.3 times as long", ("NumPy",), 1 / 1.3, [("Import", "import cytensor")]),
    Target("peak memory of cytensor train", (), None, [PEAK], most=160),
    *(
        Target(work, ("loops on NumPy arrays",), least, [(LOOPS, work)])
        for work, least in (
            ("relu (128, 512)", 500),
            ("add (128, 512) and (128, 512)", 500),
            ("add_vector (128, 512) and (512,)", 500),
            ("matmul (256, 256) and (256, 256)", 10_000),
        )
    ),
]
