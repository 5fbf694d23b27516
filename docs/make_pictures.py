"""Writes the pictures of pictures.md into docs/plots: `python docs/make_pictures.py`. Its listings draw the same."""
from pathlib import Path

import cytensor as ct

FOLDER = Path(__file__).parent / "plots"


def main(folder=FOLDER):
    x = ct.arange(24).reshape((4, 6))
    ct.plots.show_layout(x[1:, ::-2], title="x[1:, ::-2]", path=folder / "layout.png")
    layer = ct.layers.Dense(2, activation="relu")
    layer(ct.zeros((1, 2)))
    layer.set_weights([[[1.0, 0.5], [-0.6, 1.0]], [0.4, 0.3]])
    ct.plots.transform_grid(layer, title="A Dense layer with relu bends", path=folder / "dense_relu.png")
    w, b = ct.Variable(3.0), ct.Variable(1.0)
    with ct.GradientTape(persistent=True) as tape:
        loss = ct.abs(4.0 - (2.0 * w + b))
    ct.plots.plot_graph(tape, {"w": w, "b": b, "loss": loss}, path=folder / "graph.png")
    paths = {f"learning rate {rate}": descend(ct.optimizers.SGD(rate)) for rate in (0.05, 0.3, 0.95)}
    ct.plots.plot_descent(lambda x: x**2, paths, title="Three learning rates", path=folder / "descent.png")


def descend(optimizer, steps=20):
    """The places that an optimizer visits on x ** 2."""
    x, places = ct.Variable(2.0), [2.0]
    for _ in range(steps):
        with ct.GradientTape() as tape:
            height = x**2
        optimizer.apply_gradients([(tape.gradient(height, x), x)])
        places.append(float(x))
    return places


if __name__ == "__main__":
    main()
