"""Gradient descent seen: a picture and an animation each of what decides where it ends.

A curve with a local minimum beside a deeper one, at three learning rates; the same with momentum; a narrow valley that
plain SGD, momentum and Adam go down on different ways; and a line fitted to points, with all of them in each step, with
mini-batches, and with one point at a time. The steps are those of the library's tape and optimizers.
"""

import argparse
from pathlib import Path

import numpy as np

import cytensor as ct
from cytensor.optimizers import SGD, Adam

START = 2.2


def curve(x):
    """Valleys near x = -1.64 (the deep one) and x = 1.43 (a local minimum), a hill at x = 0.21 between them."""
    return 0.25 * x**4 - 1.2 * x**2 + 0.5 * x


def valley(x, y):
    """Forty times as steep along y as along x; the minimum is at (0, 0)."""
    return 0.5 * x * x + 20.0 * y * y


def descend(function, optimizer, start, steps):
    """The places (steps + 1, variables) that an optimizer visits; it stops early where they run away."""
    variables = [ct.Variable(value, dtype="float64") for value in start]
    places = [list(start)]
    for _ in range(steps):
        with ct.GradientTape() as tape:
            height = function(*variables)
        gradients = tape.gradient(height, variables)
        optimizer.apply_gradients(list(zip(gradients, variables, strict=True)))
        places.append([float(variable) for variable in variables])
        if max(map(abs, places[-1])) > 1e3:
            break
    return np.array(places)


def learning_rates(steps):
    runs = {f"rate {rate}": descend(curve, SGD(rate), [START], steps)[:, 0] for rate in (0.002, 0.05, 0.4)}
    return "learning_rates", curve, runs, (-2.6, 2.6), "A small, a medium and a large learning rate"


def momentum(steps):
    runs = {f"momentum {share}": descend(curve, SGD(0.05, momentum=share), [START], steps)[:, 0]
            for share in (0.0, 0.9)}
    return "momentum", curve, runs, (-2.6, 2.6), "Momentum carries over the hill, out of the local minimum"


def optimizers(steps):
    kinds = {"SGD": SGD(0.04), "SGD with momentum": SGD(0.01, momentum=0.8), "Adam": Adam(0.3)}
    runs = {name: descend(valley, kind, [-4.0, 1.0], steps) for name, kind in kinds.items()}
    return "optimizers", valley, runs, ((-5.0, 2.0), (-1.5, 1.5)), "Three optimizers in a narrow valley"


def noisy_line(count=128, seed=0):
    """Points around y = 1.5 x - 0.5."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1.5, 1.5, count)
    return x, 1.5 * x - 0.5 + random.normal(0, 0.6, count)


def mini_batches(steps, seed=0):
    x, y = noisy_line()
    mean_x, mean_y = ct.asarray(x), ct.asarray(y)

    def loss(slope, offset):
        """The mean squared error over all points, for any shape of slopes and offsets."""
        error = slope[..., None] * mean_x + offset[..., None] - mean_y
        return ct.reduce_mean(ct.square(error), axis=-1)

    runs = {}
    for batch in (len(x), 16, 1):
        random = np.random.default_rng(seed)

        def on_batch(slope, offset, random=random, batch=batch):
            chosen = random.choice(len(x), batch, replace=False)
            return ct.reduce_mean(ct.square(slope * x[chosen] + offset - y[chosen]))

        runs[f"batch of {batch}"] = descend(on_batch, SGD(0.08), [-1.0, 1.0], steps)
    return "mini_batches", loss, runs, None, "The smaller the batch, the noisier the gradient"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("descent"), help="where the pictures go (descent)")
    parser.add_argument("--steps", type=int, default=60, help="steps of each run (60)")
    parser.add_argument("--animation", choices=("gif", "html", "none"), default="gif", help="(gif)")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for experiment in (learning_rates, momentum, optimizers, mini_batches):
        name, function, runs, limits, title = experiment(options.steps)
        print(title)
        for run, places in runs.items():
            print(f"  {run:18} {len(places) - 1:3} steps, ends at {np.round(places[-1], 3).tolist()}")
        surface = next(iter(runs.values())).ndim == 2
        ct.plots.plot_descent(function, runs, surface=surface, limits=limits, title=title,
                              path=options.folder / f"{name}.png")
        if options.animation != "none":
            ct.plots.animate_descent(function, runs, options.folder / f"{name}.{options.animation}", limits=limits,
                                     title=title)
    print(f"pictures in {options.folder}")


if __name__ == "__main__":
    main()
