"""How each library does each work. A side takes arrays and gives, for a function's name, a call without arguments.

A library that is not installed, or does not load, has no side, and a function that it does not have no entry.
"""
import contextlib
import os
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import cytensor as ct
from cytensor.types import Array

RATE = 0.01                        # of the training step, plain gradient descent
Call = Callable[[], Any]
Functions = dict[str, Callable[..., Any]]


class Side(NamedTuple):
    """A library: its name and version, its functions of its own arrays, and the way in and out of those.

    In `steps` are functions that get the arrays and give the call themselves, for they keep weights between calls.
    """
    name: str
    version: str
    functions: Functions
    convert: Callable[[Array], Any]
    steps: dict[str, Callable[[list[Array]], Call]]

    def call(self, function: str, arrays: list[Array]) -> Call | None:
        """A call that does the work, None where the library has no such function."""
        if function in self.steps:
            return self.steps[function](arrays)
        if function not in self.functions:
            return None
        work, operands = self.functions[function], [self.convert(array) for array in arrays]
        return lambda: work(*operands)


def installed() -> list[Side]:
    """cytensor, NumPy, and what else is here."""
    sides = [cytensor(), numpy()]
    for make in (pytorch, jax):
        with contextlib.suppress(ImportError, OSError, RuntimeError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sides.append(make())
    return sides


def labels(samples: int) -> Array:
    """Classes of the training step's samples."""
    return np.arange(samples) % 10


def cytensor() -> Side:
    """This library."""
    def step(arrays: list[Array]) -> Call:
        x, y = ct.asarray(arrays[0]), ct.asarray(labels(len(arrays[0])))
        model = ct.Sequential([ct.layers.Dense(512, activation="relu", use_bias=False),
                               ct.layers.Dense(10, activation="softmax", use_bias=False)])
        model.build((None, 784))
        model.set_weights([0.05 * array for array in arrays[1:]])
        model.compile(optimizer=ct.optimizers.SGD(RATE), loss="sparse_categorical_crossentropy")
        return lambda: model.train_on_batch(x, y)

    functions: Functions = {"relu": lambda x: ct.maximum(x, 0.0), "add": lambda a, b: a + b, "exp": ct.exp,
                            "sum": ct.sum, "softmax": ct.softmax, "matmul": lambda a, b: a.T @ b,
                            "product": lambda a, b: a @ b, "conv": lambda x, kernel: ct.conv(x, kernel, padding="same")}
    return Side("cytensor", ct.__version__, functions, ct.asarray, {"step": step})


def numpy() -> Side:
    """NumPy, with the training step written by hand."""
    def softmax(x: Array) -> Array:
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        shares: Array = e / e.sum(axis=-1, keepdims=True)
        return shares

    def step(arrays: list[Array]) -> Call:
        x, first, second = arrays[0], 0.05 * arrays[1], 0.05 * arrays[2]
        y, rows = labels(len(x)), np.arange(len(x))

        def run() -> float:
            hidden = np.maximum(x @ first, 0)
            p = softmax(hidden @ second)
            loss = -np.log(p[rows, y]).mean()
            p[rows, y] -= 1
            p /= len(x)
            back = (p @ second.T) * (hidden > 0)
            second[...] -= RATE * (hidden.T @ p)
            first[...] -= RATE * (x.T @ back)
            return float(loss)
        return run

    functions: Functions = {"relu": lambda x: np.maximum(x, 0), "add": np.add, "exp": np.exp, "sum": np.sum,
                            "softmax": softmax, "matmul": lambda a, b: a.T @ b, "product": np.matmul}
    return Side("NumPy", np.__version__, functions, np.asarray, {"step": step})


def pytorch() -> Side:
    """PyTorch, with as many threads as cytensor, and channels last in memory where cytensor has them."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(ct.get_num_threads())

    def conv(arrays: list[Array]) -> Call:
        x = torch.from_numpy(arrays[0]).permute(0, 3, 1, 2)
        kernel = torch.from_numpy(arrays[1]).permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)

        def run() -> Any:
            with torch.no_grad():
                return functional.conv2d(x, kernel, padding="same").permute(0, 2, 3, 1)
        return run

    def step(arrays: list[Array]) -> Call:
        x, y = torch.from_numpy(arrays[0]), torch.from_numpy(labels(len(arrays[0])))
        first, second = (torch.from_numpy(0.05 * array).requires_grad_() for array in arrays[1:])
        optimizer = torch.optim.SGD([first, second], lr=RATE)

        def run() -> float:
            optimizer.zero_grad()
            loss = functional.cross_entropy(torch.relu(x @ first) @ second, y)
            loss.backward()
            optimizer.step()
            return float(loss.detach())
        return run

    functions = {"relu": torch.relu, "add": torch.add, "exp": torch.exp, "sum": torch.sum,
                 "softmax": lambda x: torch.softmax(x, -1), "matmul": lambda a, b: a.T @ b, "product": torch.matmul}
    return Side("PyTorch", torch.__version__, functions, torch.from_numpy, {"step": step, "conv": conv})


def jax() -> Side:
    """JAX on the CPU, compiled."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    from jax import lax
    from jax import numpy as jnp

    def loss_of(weights: Any, x: Any, y: Any) -> Any:
        scores = jax.nn.log_softmax(jnp.maximum(x @ weights[0], 0) @ weights[1])
        return -scores[jnp.arange(x.shape[0]), y].mean()

    def descend(weights: Any, x: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(weights, x, y)
        return loss, [weight - RATE * gradient for weight, gradient in zip(weights, gradients, strict=True)]

    trained = jax.jit(descend)

    def step(arrays: list[Array]) -> Call:
        x, y = jnp.asarray(arrays[0]), jnp.asarray(labels(len(arrays[0])))
        weights = [jnp.asarray(0.05 * array) for array in arrays[1:]]

        def run() -> float:
            loss, weights[:] = trained(weights, x, y)
            jax.block_until_ready(weights)
            return float(loss)
        return run

    def conv(x: Any, kernel: Any) -> Any:
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    plain: Functions = {
        "relu": lambda x: jnp.maximum(x, 0), "add": jnp.add, "exp": jnp.exp, "sum": jnp.sum, "softmax": jax.nn.softmax,
        "matmul": lambda a, b: a.T @ b, "product": jnp.matmul, "conv": conv}

    def waited(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = jax.jit(function)
        return lambda *operands: jax.block_until_ready(compiled(*operands))

    functions = {name: waited(function) for name, function in plain.items()}
    return Side("JAX", jax.__version__, functions, jnp.asarray, {"step": step})
