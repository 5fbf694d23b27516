"""Going downhill: what the learning rate and momentum do, and why nobody finds gradients by trial.

First part: a ball on a curve with two valleys, the nearer one shallow. Three learning rates, without and with momentum.
Second part: the gradient of a small network, once by moving every weight a little and looking what happens to the loss,
once with a tape; how far they differ, and what each costs.
"""

import argparse
import time

import numpy as np

import cytensor as ct

START = 2.2
RATES = {"small": 0.002, "medium": 0.05, "large": 0.6}
LEFT, RIGHT, WIDTH, HEIGHT = -2.5, 2.5, 66, 11


def curve(x):
    """Valleys near x = -1.64 (the deep one) and x = 1.43, a hill at x = 0.21 between them."""
    return 0.25 * x**4 - 1.2 * x**2 + 0.5 * x


def roll(learning_rate, momentum, steps):
    """The places that plain gradient descent visits from START; it stops early where the numbers run away."""
    x = ct.Variable(START, dtype="float64")
    optimizer = ct.optimizers.SGD(learning_rate=learning_rate, momentum=momentum)
    places = [START]
    for _ in range(steps):
        with ct.GradientTape() as tape:
            height = curve(x)
        optimizer.apply_gradients([(tape.gradient(height, x), x)])
        places.append(float(x))
        if abs(places[-1]) > 1e3:
            break
    return places


def verdict(places):
    """Where a run ended, in words."""
    last = places[-10:]
    if abs(places[-1]) > 1e3:
        return f"ran away after {len(places) - 1} steps"
    if max(last) - min(last) > 0.1:
        return f"still jumping between {min(last):.2f} and {max(last):.2f}"
    if abs(places[-1] + 1.64) < 0.05:
        return f"in the deep valley, x = {places[-1]:.2f}"
    if abs(places[-1] - 1.43) < 0.05:
        return f"in the shallow valley, x = {places[-1]:.2f}"
    return f"still on its way, x = {places[-1]:.2f}"


def draw(marks):
    """The curve in characters, with a letter above each place in the dict `marks`."""
    x = np.linspace(LEFT, RIGHT, WIDTH)
    y = curve(x)
    top, bottom = 3.0, y.min()
    rows = np.clip(np.round((top - y) / (top - bottom) * (HEIGHT - 1)), 0, HEIGHT - 1).astype(int)
    picture = np.full((HEIGHT + 1, WIDTH), " ")
    picture[rows + 1, np.arange(WIDTH)] = "."
    for letter, place in marks.items():
        column = round((place - LEFT) / (RIGHT - LEFT) * (WIDTH - 1))
        picture[rows[column], column] = letter
    print("\n".join("    " + "".join(row) for row in picture))


def learning_rates(steps):
    print(f"A ball at x = {START}, {steps} steps of gradient descent")
    marks = {"s": START}
    for momentum in (0.0, 0.9):
        print(f"  momentum {momentum}" if momentum else "  no momentum")
        for name, rate in RATES.items():
            places = roll(rate, momentum, steps)
            print(f"    {name + ' steps,':14} learning rate {rate:<6} {verdict(places)}")
            if name == "medium":
                marks["B" if momentum else "A"] = places[-1]
    draw(marks)
    print("    s: start    A: medium steps    B: medium steps with momentum, which carried the ball over the hill\n")


def network_loss(weights, x, y):
    """Mean squared error of a network with one hidden layer of tanh units; weights are (w1, b1, w2, b2)."""
    w1, b1, w2, b2 = weights
    return ct.reduce_mean(ct.square(ct.tanh(x @ w1 + b1) @ w2 + b2 - y))


def gradient_by_perturbing(weights, x, y, step=1e-5):
    """Two runs of the network for every single weight: a bit more of it, a bit less."""
    gradients = []
    for weight in weights:
        original = weight.numpy()
        gradient = np.zeros_like(original)
        for place in np.ndindex(*original.shape):
            moved = original.copy()
            moved[place] += step
            more = network_loss_at(weight, moved, weights, x, y)
            moved[place] -= 2 * step
            less = network_loss_at(weight, moved, weights, x, y)
            gradient[place] = (more - less) / (2 * step)
        weight.assign(original)
        gradients.append(gradient)
    return gradients


def network_loss_at(weight, values, weights, x, y):
    """The loss with other values in one of the weights."""
    weight.assign(values)
    return network_loss(weights, x, y).item()


def gradient_by_tape(weights, x, y):
    """One run forward, one back, whatever the number of weights."""
    with ct.GradientTape() as tape:
        loss = network_loss(weights, x, y)
    return tape.gradient(loss, weights)


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def perturbing_against_the_tape(hidden):
    random = np.random.default_rng(0)
    sizes = [(8, hidden), (hidden,), (hidden, 3), (3,)]
    weights = [ct.Variable(random.normal(0, 0.5, size)) for size in sizes]
    x, y = ct.asarray(random.normal(size=(32, 8))), ct.asarray(random.normal(size=(32, 3)))
    count = sum(weight.size for weight in weights)

    slow, slow_seconds = timed(gradient_by_perturbing, weights, x, y)
    gradient_by_tape(weights, x, y)
    fast, fast_seconds = timed(gradient_by_tape, weights, x, y)
    difference = max(np.abs(a - b.numpy()).max() for a, b in zip(slow, fast, strict=True))
    largest = max(np.abs(a).max() for a in slow)

    print(f"The gradient of a network with {count} weights")
    print(f"  by perturbing:  {slow_seconds * 1e3:9.2f} ms   {2 * count} runs of the network")
    print(f"  with the tape:  {fast_seconds * 1e3:9.2f} ms   one run forward, one back")
    print(f"  the tape is {slow_seconds / fast_seconds:.0f} times faster")
    print(f"  largest gradient {largest:.3f}, largest difference {difference:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100, help="steps of the ball (100)")
    parser.add_argument("--hidden", type=int, default=64, help="hidden units of the network (64)")
    options = parser.parse_args()
    learning_rates(options.steps)
    perturbing_against_the_tape(options.hidden)


if __name__ == "__main__":
    main()
