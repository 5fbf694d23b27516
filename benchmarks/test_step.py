"""One training step of 784-512-10 on a batch of 128, RMSprop: forward, loss, backward, update."""

from functools import partial

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

from .peers import jax, torch

BATCH, INPUTS, HIDDEN, CLASSES = 128, 784, 512, 10
RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


def batch(size=BATCH):
    rng = np.random.default_rng(0)
    return rng.random((size, INPUTS), np.float32), rng.integers(0, CLASSES, size)


def step_with_a_tape(policy="float32", batch_size=BATCH, hidden=(HIDDEN,)):
    """Ours, as a custom loop writes it."""
    x, y = (ct.asarray(array) for array in batch(batch_size))
    inner = [layers.Dense(units, activation="relu", dtype=policy) for units in hidden]
    model = ct.Sequential([*inner, layers.Dense(CLASSES, activation="softmax", dtype=policy)])
    model(x)
    optimizer = ct.optimizers.RMSprop(RATE, rho=RHO, epsilon=EPSILON)
    loss_of = ct.losses.SparseCategoricalCrossentropy()

    def step():
        with ct.GradientTape() as tape:
            loss = loss_of(y, model(x))
        variables = model.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    return step


def step_in_pytorch(foreach):
    if torch is None:
        return None
    x, y = (torch.from_numpy(array) for array in batch())
    model = torch.nn.Sequential(torch.nn.Linear(INPUTS, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES))
    optimizer = torch.optim.RMSprop(model.parameters(), RATE, alpha=RHO, eps=EPSILON, foreach=foreach)

    def step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


def step_in_jax():
    if jax is None:
        return None
    jnp = jax.numpy
    x, y = (jnp.asarray(array) for array in batch())
    rng = np.random.default_rng(1)
    sizes = [(INPUTS, HIDDEN), (HIDDEN, CLASSES)]
    weights = [jnp.asarray(rng.normal(size=s).astype(np.float32) * 0.05) for s in sizes]
    weights += [jnp.zeros(n) for _, n in sizes]
    state = (weights, [jnp.zeros_like(w) for w in weights])

    def loss_of(weights):
        logits = jnp.maximum(x @ weights[0] + weights[2], 0) @ weights[1] + weights[3]
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(BATCH), y])

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(weights, squares):
        gradients = jax.grad(loss_of)(weights)
        squares = [RHO * s + (1 - RHO) * g * g for s, g in zip(squares, gradients, strict=True)]
        moved = zip(weights, gradients, squares, strict=True)
        return [w - RATE * g / (jnp.sqrt(s) + EPSILON) for w, g, s in moved], squares

    def step():
        nonlocal state
        state = update(*state)
        jax.block_until_ready(state)

    return step


def test_training_step(compare):
    compare(
        "Training step 784-512-10, batch 128, float32",
        "forward, loss, backward, update by RMSprop",
        step_with_a_tape(),
        {
            "PyTorch (foreach)": step_in_pytorch(True),
            "PyTorch (loop)": step_in_pytorch(False),
            "JAX (jit)": step_in_jax(),
        },
        rounds=9,
    )


@pytest.mark.parametrize(("size", "hidden"), [(BATCH, (HIDDEN,)), (1024, (1024, 1024))], ids=str)
def test_training_step_in_mixed_precision(compare, size, hidden):
    """Dense layers with the policy mixed_bfloat16, beside the same in float32."""
    widths = "-".join(map(str, (INPUTS, *hidden, CLASSES)))
    compare(
        "Training step in mixed_bfloat16",
        f"{widths}, batch {size}",
        step_with_a_tape("mixed_bfloat16", size, hidden),
        {"cytensor, float32": step_with_a_tape("float32", size, hidden)},
        rounds=9,
    )
