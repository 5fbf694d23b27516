"""Learn to read handwritten digits with convolutions. Try --epochs 1 --samples 6000 for a short run.

A convolution looks at each 3 x 3 window of an image with the same weights, so what it learns about strokes at one place
holds at every other. Between convolutions the maximum of each 2 x 2 window is kept: the images become smaller, the
windows wider in terms of the input, and the filters more. The last images, 3 x 3 with 128 channels, are laid out as a
vector for the softmax. The learning rate falls along half a cosine, so that training ends in small steps. With a
quarter of the parameters of examples/mnist.py it makes half the mistakes.
"""

import argparse
import math

import cytensor as ct
from cytensor import layers
from cytensor.datasets import mnist

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=5, help="times that the training images are seen (5)")
parser.add_argument("--samples", type=int, default=60000, help="training images to use (60000)")
run = parser.parse_args()
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = (x.reshape(-1, 28, 28, 1).astype("float32") / 255 for x in (x_train[: run.samples], x_test))
model = ct.Sequential(
    [
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(128, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
steps = run.epochs * math.ceil(len(x_train) / 128)
optimizer = ct.optimizers.RMSprop(ct.optimizers.schedules.CosineDecay(1e-3, steps))
model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train[: run.samples], epochs=run.epochs, batch_size=128)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
