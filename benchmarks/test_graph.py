"""A model that is a graph, of three branches and two outputs; and what a graph costs beside a stack."""

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers

from .peers import torch

BATCH, WIDTHS, HIDDEN, CLASSES = 128, (256, 128, 64), 128, 10
TABLE = "Training step of a graph, float32"


def batch():
    rng = np.random.default_rng(0)
    inputs = [rng.random((BATCH, width), np.float32) for width in WIDTHS]
    return inputs, rng.integers(0, CLASSES, BATCH), rng.random((BATCH, 1), np.float32)


def graph_step():
    """Ours, through `train_on_batch`: losses by output, their means, and the optimizer."""
    inputs, labels, sizes = batch()
    entries = [layers.Input((width,)) for width in WIDTHS]
    branches = [layers.Dense(HIDDEN, activation="relu")(layers.Dense(HIDDEN, activation="relu")(x)) for x in entries]
    joined = layers.Concatenate()(branches)
    shared = layers.Dense(HIDDEN, activation="relu")(joined)
    shared = shared + branches[0]
    model = ct.Model(entries, [layers.Dense(CLASSES, activation="softmax", name="kind")(shared),
                               layers.Dense(1, name="size")(shared)])
    model.compile(ct.optimizers.Adam(1e-3), ["sparse_categorical_crossentropy", "mse"], loss_weights=[1.0, 0.5])
    x, y = [ct.asarray(part) for part in inputs], [ct.asarray(labels), ct.asarray(sizes)]
    return lambda: model.train_on_batch(x, y)


def graph_step_in_pytorch(foreach):
    if torch is None:
        return None
    nn = torch.nn
    inputs, labels, sizes = batch()

    class Branches(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.branches = nn.ModuleList(
                nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
                for width in WIDTHS
            )
            self.shared = nn.Linear(len(WIDTHS) * HIDDEN, HIDDEN)
            self.kind, self.size = nn.Linear(HIDDEN, CLASSES), nn.Linear(HIDDEN, 1)

        def forward(self, parts):
            found = [branch(x) for branch, x in zip(self.branches, parts, strict=True)]
            shared = torch.relu(self.shared(torch.cat(found, 1))) + found[0]
            return self.kind(shared), self.size(shared)

    model = Branches()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, foreach=foreach)
    parts, labels, sizes = [torch.from_numpy(part) for part in inputs], *map(torch.from_numpy, (labels, sizes))

    def step():
        optimizer.zero_grad(set_to_none=True)
        kind, size = model(parts)
        loss = nn.functional.cross_entropy(kind, labels) + 0.5 * nn.functional.mse_loss(size, sizes)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def stack_and_graph(width, depth):
    """(a step of a Sequential, a step of the same layers as a graph)."""
    steps = []
    for is_graph in (False, True):
        ct.set_seed(0)
        stack = [layers.Dense(width, activation="relu") for _ in range(depth)]
        stack.append(layers.Dense(10, activation="softmax"))
        if is_graph:
            tensor = entry = layers.Input((256,))
            for layer in stack:
                tensor = layer(tensor)
            model = ct.Model(entry, tensor)
        else:
            model = ct.Sequential([layers.Input((256,)), *stack])
        model.compile("adam", "sparse_categorical_crossentropy")
        rng = np.random.default_rng(0)
        x, y = ct.asarray(rng.random((32, 256), np.float32)), ct.asarray(rng.integers(0, 10, 32))
        steps.append(lambda model=model, x=x, y=y: model.train_on_batch(x, y))
    return steps


def test_three_branches(compare):
    compare(
        TABLE,
        "three branches, two outputs, batch 128, Adam",
        graph_step(),
        {"PyTorch (foreach)": graph_step_in_pytorch(True), "PyTorch (loop)": graph_step_in_pytorch(False)},
        rounds=9,
    )


@pytest.mark.parametrize(("width", "depth"), [(16, 3), (64, 8), (512, 2)])
def test_beside_a_sequential(compare, width, depth):
    stack, graph = stack_and_graph(width, depth)
    compare(TABLE, f"{depth + 1} layers of {width}, batch 32, Adam", graph, {"Sequential": stack}, rounds=15)
