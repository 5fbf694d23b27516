"""Tensor operations as geometry: what they do to points, to a grid and to the unit square.

Adding a vector moves, matrices turn, stretch and shear; affine maps one after the other are one affine map, so layers
without an activation are no deeper than one; relu bends. Last, a network of narrow layers takes two intertwined sheets
apart, as one would smooth a ball of crumpled paper: it is trained with `fit` and drawn layer by layer, and as a GIF.
"""

import argparse
import math
from pathlib import Path

import numpy as np

import cytensor as ct
from cytensor import layers

POINTS = ct.asarray([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.5, 1.5]])          # a house


def rotation(degrees):
    """The matrix (2, 2) that turns by an angle, counterclockwise."""
    angle = math.radians(degrees)
    return ct.asarray([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


MOVE = ct.asarray([1.0, 0.5])
TURN = rotation(40)
SCALE = ct.asarray([[1.5, 0.0], [0.0, 0.5]])
SHEAR = ct.asarray([[1.0, 0.8], [0.2, 1.0]])
BEND = (ct.asarray([[1.0, -0.6], [0.5, 1.0]]), ct.asarray([0.4, 0.3]))


def affine(x, a=SHEAR, b=MOVE):
    """A x + b of each row of x: (n, 2) -> (n, 2)."""
    return x @ a.T + b


def dense_layer():
    """A Dense layer with relu and a kernel chosen by hand; what it makes negative lies on an axis."""
    layer = layers.Dense(2, activation="relu")
    layer(POINTS)
    layer.set_weights([BEND[0].numpy().T, BEND[1].numpy()])
    return layer


TRANSFORMS = {
    "move": (lambda x: x + MOVE, "Adding a vector moves"),
    "rotate": (lambda x: x @ TURN.T, "A rotation by 40 degrees"),
    "scale": (lambda x: x @ SCALE.T, "Scaling: 1.5 times as wide, half as high"),
    "linear": (lambda x: x @ SHEAR.T, "A linear map keeps lines straight and 0 in its place"),
    "affine": (affine, "An affine map: a linear map, then a move"),
    "affine_twice": (lambda x: affine(affine(x)), "Two affine maps are one affine map"),
    "dense_relu": (dense_layer(), "A Dense layer with relu bends"),
}


def draw_transforms(folder):
    for name, (transform, title) in TRANSFORMS.items():
        ct.plots.transform_points(POINTS, transform, title=title, path=folder / f"{name}_points.png")
        ct.plots.transform_grid(transform, points=POINTS, title=title, path=folder / f"{name}_grid.png")
        print(f"  {name:14} the corner (1, 1) goes to {np.round(transform(POINTS)[2].numpy(), 3).tolist()}")


def affine_twice_is_one():
    """How far two affine maps are from the one with A A and A b + b."""
    one = ct.transpose(SHEAR @ SHEAR), SHEAR @ MOVE + MOVE
    return float(ct.max(ct.abs(affine(affine(POINTS)) - (POINTS @ one[0] + one[1]))))


def intertwined_sheets(count, seed=0):
    """Two sheets rolled into one another: points (count, 3) float32, and which sheet each lies on, (count,)."""
    random = np.random.default_rng(seed)
    along, height = random.uniform(0.15, 1, count), random.uniform(-1, 1, count)
    sheet = np.arange(count) % 2
    angle = along * 1.75 * np.pi + np.pi * sheet
    return np.stack([along * np.cos(angle), along * np.sin(angle), height], 1).astype("float32"), sheet


def unfold(epochs, count, seed):
    """A network of four layers of 3 units, trained to tell the sheets apart; it, and its outputs layer by layer."""
    ct.set_seed(seed)
    x, sheet = intertwined_sheets(count)
    model = ct.Sequential([*(layers.Dense(3, activation="tanh") for _ in range(4)),
                           layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer=ct.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(x, sheet.astype("float32"), epochs=epochs, batch_size=50, verbose=0)
    _, accuracy = model.evaluate(x, sheet.astype("float32"), verbose=0)
    stages = [ct.asarray(x)]
    for layer in model.layers[:-1]:
        stages.append(layer(stages[-1]))
    return model, stages, sheet, accuracy


def draw_unfolding(folder, epochs, count, seed, animation):
    model, stages, sheet, accuracy = unfold(epochs, count, seed)
    names = ["the sheets", *(f"after layer {number}" for number in range(1, len(stages)))]
    for number in range(1, len(stages)):
        ct.plots.transform_points(stages[0], ct.Sequential(model.layers[:number]), sheet,
                                  title=f"Two sheets, {names[number]}", path=folder / f"unfold_{number}.png")
    if animation:
        ct.plots.animate_points(stages, folder / f"unfold.{animation}", sheet, names, turn=20)
    before, after = one_plane(stages[0].numpy(), sheet), one_plane(stages[-1].numpy(), sheet)
    print(f"  trained: accuracy {accuracy:.4f}; one plane parts {before:.4f} of the points before, {after:.4f} after")


def one_plane(points, sheet):
    """The share of points on the right side of the best plane in the sense of least squares."""
    system = np.concatenate([points, np.ones((len(points), 1))], 1)
    plane = np.linalg.lstsq(system, 2.0 * sheet - 1, rcond=None)[0]
    return float(np.mean((system @ plane > 0) == (sheet == 1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("geometry"), help="where the pictures go (geometry)")
    parser.add_argument("--epochs", type=int, default=60, help="epochs of the network (60)")
    parser.add_argument("--samples", type=int, default=2000, help="points on the sheets (2000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the weights (1)")
    parser.add_argument("--animation", choices=("gif", "html", "none"), default="gif", help="of the network (gif)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print("Points, a grid and the unit square, before and after")
    draw_transforms(options.folder)
    print(f"  two affine maps differ from one by {affine_twice_is_one():.1e}")
    print("Two intertwined sheets, layer by layer")
    animation = None if options.animation == "none" else options.animation
    draw_unfolding(options.folder, options.epochs, options.samples, options.seed, animation)
    print(f"pictures in {options.folder}")


if __name__ == "__main__":
    main()
