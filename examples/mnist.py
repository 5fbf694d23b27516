"""Learn to read handwritten digits: the whole program. Try --epochs 1 --samples 6000 for a short run."""

import argparse

import cytensor as ct
from cytensor import layers
from cytensor.datasets import mnist

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=5, help="times that the training images are seen (5)")
parser.add_argument("--samples", type=int, default=60000, help="training images to use (60000)")
run = parser.parse_args()
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x.reshape(len(x), 784).astype("float32") / 255 for x in (x_train[: run.samples], x_test))
model = ct.Sequential([layers.Dense(512, activation="relu"), layers.Dense(10, activation="softmax")])
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train[: run.samples], epochs=run.epochs, batch_size=128)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
