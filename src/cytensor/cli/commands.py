"""The command `cytensor`: train a network on digits or on your own arrays, predict with it, look at the installation.

Three commands, each a function below; what they need beyond the library's public functions is here too: reading data,
and showing predictions as text. Wrong arguments and unreadable files end with one line on standard error and the exit
code 2.
"""

import argparse
import math
import os
import sys
from pathlib import Path

import numpy as np

import cytensor as ct
from cytensor import layers, plots
from cytensor.cli import ascii_art
from cytensor.datasets import archive, mnist

EXAMPLES = 10
OPTIMIZERS = {"rmsprop": "RMSprop", "adam": "Adam", "sgd": "SGD"}
DATA_HELP = (
    "'mnist' for the packaged digits, or an .npz file with the arrays {}; samples along the first axis, labels "
    "whole numbers from 0. Images of bytes are divided by 255, other numbers are used as they are"
)


def main(arguments=None):
    """Run the command line `arguments` (those of the process by default); returns the exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    try:
        options.command(options)
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"{parser.prog} {options.command.__name__}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{parser.prog} {options.command.__name__}: interrupted", file=sys.stderr)
        return 130
    return 0


def build_parser():
    """The argument parser; its defaults are the job that `make train` runs."""
    parser = argparse.ArgumentParser(
        prog="cytensor",
        description="Train small neural networks on the CPU. Start with: cytensor train",
        epilog="Each command explains itself: cytensor train --help",
    )
    parser.add_argument("--version", action="version", version=f"cytensor {ct.__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="{train,predict,info}")
    _add_train(commands)
    _add_predict(commands)
    add = commands.add_parser("info", help="show version, instruction set, threads, dtypes and packaged data")
    add.set_defaults(command=info)
    return parser


def _add_train(commands):
    add = commands.add_parser(
        "train",
        help="train a classifier of dense layers and test it",
        description="Train a classifier: hidden layers of relu units, then a softmax over the classes. Prints the "
        "progress of each epoch, the accuracy on the test data, and ten example predictions.",
    )
    _option(add, "--data", DATA_HELP.format("x_train, y_train, x_test and y_test"), "mnist", metavar="FILE")
    _option(add, "--epochs", "passes over the training data", 5, type=positive_int, metavar="N")
    _option(add, "--batch-size", "samples for each step", 128, type=positive_int, metavar="N")
    _option(add, "--optimizer", "rule by which the weights move", "rmsprop", choices=OPTIMIZERS)
    _option(add, "--learning-rate", "length of a step", shown="the optimizer's", type=positive_float, metavar="R")
    help_text = "units of each hidden layer, first to last; without a number, a linear classifier"
    _option(add, "--hidden", help_text, [512], shown="512", type=positive_int, nargs="*", metavar="N")
    help_text = "start of the random numbers; the same seed gives the same result, bit for bit"
    _option(add, "--seed", help_text, 0, type=seed_number, metavar="N")
    _option(add, "--samples", "use only the first N training samples", shown="all", type=positive_int, metavar="N")
    help_text = "file for the trained model, for `cytensor predict`"
    _option(add, "--save", help_text, shown="not saved", type=model_path, metavar="MODEL.safetensors")
    help_text = "picture of the learning curves, .png or .pdf; the test data is then evaluated after every epoch"
    _option(add, "--plot", help_text, shown="not drawn", metavar="FILE")
    add.set_defaults(command=train)


def _add_predict(commands):
    add = commands.add_parser(
        "predict",
        help="predict with a model that train saved",
        description="Predict with a model that `cytensor train --save` wrote: shows the first predictions, and the "
        "accuracy where the data has labels.",
    )
    add.add_argument("model", metavar="MODEL.safetensors", help="file written by cytensor train --save")
    _option(add, "--data", DATA_HELP.format("x_test and, if known, y_test"), "mnist", metavar="FILE")
    _option(add, "--count", "predictions to show", EXAMPLES, type=positive_int, metavar="N")
    help_text = "picture, .png or .pdf, of the first images and of the confusion matrix where the data has labels"
    _option(add, "--plot", help_text, shown="not drawn", metavar="FILE")
    add.set_defaults(command=predict)


def _option(parser, name, help_text, default=None, shown=None, **settings):
    """An option whose help ends with its default, worded as `shown` where the value itself says too little."""
    parser.add_argument(name, default=default, help=f"{help_text} (default: {shown or default})", **settings)


# The commands


def train(options):
    """cytensor train"""
    check_plot(options.plot)
    x, y, x_test, y_test = read_training_data(options.data, options.samples)
    classes = int(max(y.max(), y_test.max())) + 1
    ct.set_seed(options.seed)
    model = build_model(x, options.hidden, classes)
    optimizer = getattr(ct.optimizers, OPTIMIZERS[options.optimizer])
    rate = {"learning_rate": options.learning_rate} if options.learning_rate else {}
    model.compile(optimizer=optimizer(**rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    print(f"{len(x)} samples of shape {x.shape[1:]} to train on, {len(x_test)} to test with, {classes} classes")
    seen = {"validation_data": (x_test, y_test)} if options.plot else {}
    history = model.fit(x, y, batch_size=options.batch_size, epochs=options.epochs, **seen)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\nTest accuracy: {accuracy:.4f} (loss {loss:.4f})\n")
    show_predictions(x_test[:EXAMPLES], y_test[:EXAMPLES], model.predict(x_test[:EXAMPLES], verbose=0))
    if options.save:
        model.save(options.save)
        print(f"\nModel saved. Use it with: cytensor predict {options.save}")
    if options.plot:
        plots.plot_history(history, options.plot, title=f"{options.data}: {len(x):,} samples", validation_name="test")
        print(f"\nLearning curves drawn: {options.plot}")


def predict(options):
    """cytensor predict"""
    check_plot(options.plot)
    x, y = read_test_data(options.data)
    model = ct.models.load_model(options.model)
    probabilities = model.predict(x, verbose=0)
    if y is not None:
        print(f"Accuracy on {len(x)} samples: {np.mean(probabilities.argmax(axis=1) == y):.4f}\n")
    first = slice(options.count)
    show_predictions(x[first], None if y is None else y[first], probabilities[first])
    if options.plot:
        plots.plot_predictions(x, y, probabilities, options.count, options.plot)
        print(f"\nPredictions drawn: {options.plot}")


def info(options):
    """cytensor info"""
    import cyops

    choices = ", ".join(cyops.available_isas())
    rows = {
        "version": ct.__version__,
        "python": f"{sys.version.split()[0]} on {sys.platform}",
        "numpy": np.__version__,
        "instruction set": f"{cyops.isa} (this processor has {choices}; CYOPS_ISA chooses)",
        "threads": f"{cyops.get_num_threads()} (CYOPS_NUM_THREADS or OMP_NUM_THREADS chooses)",
        "dtypes": "float32, float64, bool, int8 to int64, uint8 to uint64; stored only: float16, strings",
        "packaged data": f"mnist, {os.path.getsize(mnist.PACKAGED):,} bytes, {mnist.PACKAGED}",
    }
    for name, value in rows.items():
        print(f"{name:16} {value}")


# Data and model


def read_training_data(source, samples=None):
    """x, y, x_test, y_test: arrays from the packaged MNIST or an .npz file, checked."""
    if source == "mnist":
        (x, y), (x_test, y_test) = mnist.load_data()
    else:
        arrays = archive.read(source, ("x_train", "y_train", "x_test", "y_test"), "--data")
        x, y, x_test, y_test = arrays.values()
    x, y = x[:samples], y[:samples]
    check_samples(source, "train", x, y)
    check_samples(source, "test", x_test, y_test)
    if x.shape[1:] != x_test.shape[1:] or x.dtype != x_test.dtype:
        raise ValueError(
            f"--data: training and test samples must have one shape and dtype; got x_train {x.dtype} {x.shape}, "
            f"x_test {x_test.dtype} {x_test.shape} in {source}"
        )
    return x, y, x_test, y_test


def read_test_data(source):
    """x, y: the arrays x_test and y_test of the packaged MNIST or an .npz file, checked; y is None if absent."""
    if source == "mnist":
        return mnist.load_data()[1]
    labelled = "y_test" in archive.names_in(source, "--data")
    arrays = archive.read(source, ("x_test", "y_test") if labelled else ("x_test",), "--data")
    x, y = arrays["x_test"], arrays.get("y_test")
    check_samples(source, "test", x, y)
    return x, y


def check_samples(source, part, x, y):
    """Raise ValueError unless x is (n, ...) numbers with n > 0, and y None or (n,) whole numbers from 0."""
    if x.ndim < 2 or x.size == 0 or x.dtype.kind not in "biuf":
        raise ValueError(
            f"--data: samples must be numbers of shape (n, ...), n > 0; got x_{part} {x.dtype} {x.shape} in {source}"
        )
    if y is not None and (y.dtype.kind not in "iu" or y.shape != (len(x),) or y.min() < 0):
        raise ValueError(
            f"--data: labels must be integers from 0 of shape ({len(x)},), one for each sample; "
            f"got y_{part} {y.dtype} {y.shape} in {source}"
        )


def build_model(x, hidden, classes):
    """Dense relu layers and a softmax, behind what brings samples like x to vectors of numbers near one."""
    model = ct.Sequential()
    if x.ndim > 2:
        model.add(layers.Flatten())
    if x.dtype == np.uint8:
        model.add(layers.Rescaling(1 / 255))
    for units in hidden:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(classes, activation="softmax"))
    return model


# Text


def show_predictions(x, y, probabilities):
    """Print a line for each sample: its label if known, the likeliest class and its probability; images as pictures."""
    predicted = probabilities.argmax(axis=1)
    captions = []
    for i, guess in enumerate(predicted):
        wrong = "" if y is None or y[i] == guess else f", is {y[i]}"
        captions.append(f"{guess} ({probabilities[i, guess]:.0%}){wrong}")
    if x.ndim == 3:
        print(f"What the model sees in the first {len(x)} test images, and how sure it is:\n")
        print(ascii_art.gallery(x, captions))
        return
    print(f"{'sample':>6}  {'label':>5}  {'predicted':>9}  {'probability':>11}")
    for i, guess in enumerate(predicted):
        label = "" if y is None else y[i]
        mark = "" if y is None or y[i] == guess else "  wrong"
        print(f"{i:>6}  {label:>5}  {guess:>9}  {probabilities[i, guess]:>11.4f}{mark}")


def check_plot(path):
    """Raise before the work is done where its picture could not be drawn or written."""
    if path is not None:
        plots.check_path("--plot", path)


# Types of arguments


def positive_int(text, least=1):
    """A whole number from `least`."""
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least}; got {text}")
    return value


def seed_number(text):
    """A whole number from 0."""
    return positive_int(text, least=0)


def positive_float(text):
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0; got {text}")
    return value


def model_path(text):
    """The name of a file that can be written: checked before the training rather than after it."""
    if not text.endswith(".safetensors"):
        raise argparse.ArgumentTypeError(f"must end with .safetensors; got {text}")
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {Path(text).parent}")
    return text
