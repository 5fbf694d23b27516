"""A training step of one of benchmarks/networks.py by Keras, NumPy arrays in: one turn is one step.

python -m benchmarks.programs.train_step NETWORK

KERAS_BACKEND names Keras's backend.
"""

import sys

import keras

from benchmarks.networks import step_as_keras
from benchmarks.programs import turns


def main(name):
    turns.serve(step_as_keras(keras, name))


if __name__ == "__main__":
    main(*sys.argv[1:])
