"""scikit-learn's MLPClassifier on MNIST, 784-512-10, batches of 128: one turn is one epoch.

python -m benchmarks.programs.fit_sklearn adam|sgd
"""

import sys

from sklearn.neural_network import MLPClassifier

from benchmarks.programs import turns
from cytensor.datasets import mnist


def main(solver):
    (x, y), _ = mnist.load_data()
    x = x.reshape(len(x), 784).astype("float32") / 255
    momentum = {"momentum": 0.0} if solver == "sgd" else {}
    model = MLPClassifier((512,), solver=solver, alpha=0.0, batch_size=128, **momentum)
    turns.serve(lambda: model.partial_fit(x, y, classes=range(10)))


if __name__ == "__main__":
    main(*sys.argv[1:])
