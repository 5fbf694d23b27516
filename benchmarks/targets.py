"""What this project promises of its speed and memory: each target names rows of the tables and whom they are beside."""

from typing import NamedTuple

GEMM, SQUARES = "Matrix product, float32", "Matrix product of squares, float32"
VIEWS, OPS_ON_VIEWS = "Matrix product of views, float32", "Ops on views"
OPS, SIZES, SMALL = "Ops", "Ops by size", "Ten elements"
INFERENCE = "Inference 784-512-10, NumPy in and out"
STEP = "Training step 784-512-10, batch 128, float32", "forward, loss, backward, update by RMSprop"
LOSS = "Softmax cross-entropy, mean, with its gradient"
ARRAYS = ("NumPy", "PyTorch")
PERMUTED = "Contraction of permuted operands, float32"
# Of the kinds that Springer and Bientinesi ("Design of a high-performance GEMM-like tensor-tensor multiplication",
# 2016) collected, by which Matthews ("High-performance tensor contraction without transposition", 2016) measures TBLIS.
CONTRACTIONS: dict[str, list[tuple[int, ...]]] = {
    "abcd,dbea->ce": [(24, 16, 96, 24), (24, 16, 96, 24)],
    "bda,dc->abc": [(64, 128, 64), (128, 64)],
    "cad,dcb->ab": [(32, 192, 48), (48, 32, 192)],
    "aebf,dfce->abcd": [(20, 24, 20, 24), (20, 24, 20, 24)],
    "ea,ebcd->abcd": [(96, 48), (96, 16, 24, 20)],
    "efbad,cf->abcde": [(12, 48, 16, 14, 10), (24, 48)],
    "dfgb,geac->abcdef": [(10, 12, 32, 9), (32, 11, 10, 8)],
}
LOOPS = "Plain Python loops"
ACCURACY = "MNIST with `cytensor train`"
CONVNETS = "Training step of convolutional networks, float32"
CONVOLUTION = "Convolution 3 x 3, float32"
WORKING_MEMORY = "Working memory, beside operands and result"


def in_threads(count):
    return "1 thread" if count == 1 else f"{count} threads"


class Target(NamedTuple):
    """`least` is promised of the ratio the fastest of the `peers` / ours, by each of the rows or by their geometric
    mean (`how`); `most` instead is promised of our own figure, in MB. A row is (table, work)."""

    work: str
    peers: tuple[str, ...]
    least: float | None
    rows: list[tuple[str, str]]
    how: str = "each"
    most: float | None = None
    threads: int | None = None         # judged by the run of so many, instead of the one with most

    @property
    def key(self):
        """What reasons.py calls it."""
        alone = f", {in_threads(self.threads)}" if self.threads else ""
        return f"{self.work}{alone} / {', '.join(self.peers)}"


def square(n):
    return SQUARES, f"({n}, {n}) x ({n}, {n})"


def product(m, k, n):
    return GEMM, f"({m}, {k}) x ({k}, {n})"


def by_size(name):
    return [(SIZES, f"{name}, {size}") for size in ("1e3", "1e5", "1e6", "1e7", "3e7")]


LARGE = [product(128, 784, 512), product(784, 128, 512), square(512), square(1024), square(2048)]
THIN = [product(8, 1024, 4096), product(4096, 1024, 8), product(128, 512, 10), product(1, 784, 512)]
FIVE_OPS = "relu, add, bias add, sum, max, 1e3 to 3e7 elements"
ELEMENTWISE = ("relu", "add", "bias add", "sum", "max")
COPY = OPS_ON_VIEWS, "copy of a (4096, 2048) transpose"
PEAK = "Peak memory", "cytensor train, one epoch of MNIST"
FIT = "fit, an epoch of MNIST", "784-512-10, batch 128, RMSprop"
FIT_OVERHEAD = "fit beside its own steps, an epoch of MNIST", "validation, early stopping, checkpoint and bar"
TEXTBOOK = "Textbook loop, an epoch of MNIST", "784-512-10, batch 128"


def of_contractions():
    for equation, shapes in CONTRACTIONS.items():
        row = PERMUTED, f"{equation}, {' '.join(map(str, shapes))}"
        for peer, least in (("NumPy", 1.5), ("PyTorch", 1.3)):
            yield Target(f"contraction {equation}", (peer,), least, [row])


def of_views():
    shapes = ("(512, 512) x (512, 512)", "(128, 784) x (784, 512)")
    for layout in ("transposed", "sliced", "reversed"):
        rows = [(VIEWS, f"{shape}, {layout}") for shape in shapes]
        yield Target(f"matrix product of {layout} operands", ("cytensor, contiguous",), 0.9, rows)


BFLOAT16 = [("Matrix product, bfloat16", f"({n}, {n}) x ({n}, {n})") for n in (512, 1024)]
# Those of several peers that count, and how much.
EITHER_FORM = ("PyTorch", "PyTorch, channels_last", "Keras on JAX")
STEPS = [
    ("Conv 32, pool, Conv 64, pool, Conv 128, Flatten, Dense 10 on 64 x 28 x 28 x 1", EITHER_FORM, 2.0),
    ("Conv 32 + BN, Separable 64 + BN, pool, Conv 128, global mean on 64 x 32 x 32 x 3", EITHER_FORM, 1.8),
    ("Conv1D(32, 5), global mean on 256 x 120 x 14", ("Keras on JAX",), 1.5),
]
WAYS = ("forward", "gradient by the input", "gradient by the kernel")
CONVOLVED = [
    "(64, 13, 13, 32) to 64, valid",
    "(64, 5, 5, 64) to 128, valid",
    "(8, 32, 32, 64) to 64, same",
    "(8, 56, 56, 32) to 32, same",
]
WORKING = [
    "convolution 3 x 3 of (32, 56, 56, 32) to 32, channels_last",
    "convolution 3 x 3 of (32, 32, 56, 56) to 32, channels_first",
    "contraction abcd,dbea->ce, (48, 40, 48, 40) and (40, 40, 64, 48)",
]
SCRATCH = 8                                # MB for the packs of two threads
LAST_AXIS = OPS, "sum (4096, 2048), last axis"
SUMS = [(LAST_AXIS, None), (LAST_AXIS, 1), ((SIZES, "sum, 1e6"), 1), ((SIZES, "sum, 3e7"), 1)]
# With one thread.
ALONE = [
    *((f"matrix product {row[1]}", ARRAYS, row) for row in (product(1, 784, 512), product(128, 512, 10))),
    ("tanh, 1e6 elements", ARRAYS, (SIZES, "tanh, 1e6")),
    ("predict, 1 row", ("PyTorch, no_grad",), (INFERENCE, "predict, 1 row")),
]


def convolutions(way):
    return [(CONVOLUTION, f"{way}, {work}, {layout}") for work in CONVOLVED
            for layout in ("channels_last", "channels_first")]  # fmt: skip


TARGETS = [
    Target("training step 784-512-10, batch 128, RMSprop", ("PyTorch (foreach)", "PyTorch (loop)"), 1.7, [STEP]),
    Target("training step 784-512-10, batch 128, RMSprop", ("JAX (jit)",), 1.7, [STEP]),
    Target("fit, an epoch of MNIST", ("Keras on TensorFlow", "Keras on TensorFlow (XLA)"), 3.0, [FIT]),
    Target("fit, an epoch of MNIST", ("Keras on JAX",), 1.7, [FIT]),
    Target("fit with everything on, at most 10 % over its steps", ("the bare steps",), 1 / 1.1, [FIT_OVERHEAD]),
    Target("textbook loop, an epoch of MNIST", ("TensorFlow, eager",), 5, [TEXTBOOK]),
    Target("textbook loop, an epoch of MNIST", ("PyTorch, eager",), 1.4, [TEXTBOOK]),
    *(Target(f"training step: {work}", peers, least, [(CONVNETS, work)]) for work, peers, least in STEPS),
    *(Target(f"convolution, {way}", ("cytensor, matrix product",), 0.8, convolutions(way)) for way in WAYS),
    *(Target(f"working memory of a {work}", (), None, [(WORKING_MEMORY, work)], most=SCRATCH) for work in WORKING),
    *(Target(f"matrix product {row[1]}", ARRAYS, 0.95, [row]) for row in LARGE[:-1]),
    Target(f"matrix product {LARGE[-1][1]}", ARRAYS, 1.0, [LARGE[-1]]),
    Target("five large matrix products", ARRAYS, 1.0, LARGE, "mean"),
    *(Target(f"matrix product {row[1]}", ARRAYS, 1.2, [row]) for row in [square(64), square(32), square(8), *THIN]),
    *(
        Target(f"bfloat16, {row[1]}", (peer,), least, [row])
        for row in BFLOAT16
        for peer, least in (("cytensor, float32", 1.6), ("PyTorch", 1.0))
    ),
    *of_views(),
    *of_contractions(),
    *(Target(row[1], ARRAYS, 1.0, [row], threads=threads) for row, threads in SUMS),
    *(Target(f"{name}, 1e3 to 3e7 elements", ARRAYS, 1.0, by_size(name)) for name in ELEMENTWISE),
    Target(FIVE_OPS, ARRAYS, 1.5, [row for name in ELEMENTWISE for row in by_size(name)], "mean"),
    *(Target(COPY[1], (peer,), least, [COPY]) for peer, least in (("PyTorch", 3.0), ("NumPy", 8.0))),
    *(Target(f"{name}, 1e6 elements", ARRAYS, 1.3, [(SIZES, f"{name}, 1e6")]) for name in ("exp", "tanh", "sigmoid")),
    Target("softmax cross-entropy with gradient, (128, 10)", ("PyTorch",), 10.0, [(LOSS, "(128, 10), one call")]),
    Target("softmax cross-entropy with gradient, (4096, 1000)", ("PyTorch",), 1.5, [(LOSS, "(4096, 1000), one call")]),
    Target("softmax cross-entropy by a tape, (128, 10)", ("PyTorch",), 4.0, [(LOSS, "(128, 10), with a tape")]),
    Target("a + b, ten elements", ("NumPy",), 1.7, [(SMALL, "a + b")]),
    Target(
        "a + b, ten elements, recorded", ("PyTorch",), 3.0, [(SMALL, "a + b, 100 times, recorded for the gradient")]
    ),
    *(Target(f"{name}, ten elements", ("NumPy",), 0.7, [(SMALL, name)]) for name in ("slice", "transpose", "reshape")),
    *(
        Target(work, ("PyTorch, no_grad",), least, [(INFERENCE, work)])
        for work, least in (("predict, 1 row", 1.5), ("predict, 10000 rows", 1.4))
    ),
    *(Target(work, peers, 1.3, [row], threads=1) for work, peers, row in ALONE),
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

# What the README shows of them, by their works.
HEADLINES = (
    "training step 784-512-10, batch 128, RMSprop",
    "fit, an epoch of MNIST",
    *(f"training step: {work}" for work, _, _ in STEPS),
    *(f"convolution, {way}" for way in WAYS),
    "five large matrix products",
    FIVE_OPS,
)
