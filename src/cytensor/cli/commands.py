"""The command `cytensor`: train a network on digits or on your own data, predict with it, look at the installation.

Its commands, each a function below, and how they show predictions as text; data.py reads what they are given, and the
folders demo/ and bench/ hold what is behind the commands of their names. Wrong arguments and unreadable files end with
one line on standard error and the exit code 2, an interrupt with 130.
"""

import argparse
import contextlib
import io
import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

import cytensor as ct
from cytensor import plots
from cytensor.cli import ascii_art, data, distributed, networks, photos
from cytensor.cli import measure as measuring
from cytensor.cli.options import model_path, option, port_number, positive_float, positive_int, seed_number
from cytensor.datasets import mnist
from cytensor.saving.files import check_target, read_file
from cytensor.types import Array

EXAMPLES = 10
OPTIMIZERS = {"rmsprop": "RMSprop", "adam": "Adam", "sgd": "SGD"}
TRAIN_DATA = (
    "'mnist' for the packaged digits; an .npz file with x_train, y_train, x_test and y_test or x and y; a .csv file or "
    "an .npy file of rows and columns, one of labels; or two .npy files, samples and labels. Samples lie along the "
    "first axis, labels are whole numbers from 0, or words in a .csv file. Bytes of images are divided by 255, the "
    "columns of tables brought to one scale, other numbers used as they are. Without test data a fifth is kept for it"
)
TEST_DATA = (
    "'mnist' for the packaged digits; an .npz file with x_test and, if known, y_test; or a .csv or .npy file as for "
    "cytensor train, with or without labels"
)
MODELS = (
    "network: 'dense', layers of relu units; or 'convnet' for images, 18 x 18 and larger: 32, 64 and 128 filters of "
    "3 x 3, with maxima of 2 x 2 between"
)
LABEL = "name or number, from 1, of the column of labels in a .csv or .npy file"
BROKEN_PIPE = 141                  # what a shell says of a process that a closed pipe ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (those of the process by default); returns the exit code."""
    try:
        with contextlib.suppress(ValueError):
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="replace")           # names of classes may have any letters
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:            # who read the output has seen enough, as `head` does
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())     # for Python's own flush at exit
        return BROKEN_PIPE


def _run(arguments: Sequence[str] | None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    command = f"{parser.prog} {options.command.__name__}"
    try:
        options.command(options)
    except BrokenPipeError:
        raise
    except (ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        print(f"{command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = f"; {what_is_kept(options.resume)}" if options.command is train else ""
        print(f"\n{command}: interrupted{kept}", file=sys.stderr)
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The argument parser; its defaults are the job that `make train` runs."""
    parser = argparse.ArgumentParser(
        prog="cytensor",
        description="Train small neural networks on the CPU. Start with: cytensor train",
        epilog="Each command explains itself: cytensor train --help",
    )
    parser.add_argument("--version", action="version", version=f"cytensor {ct.__version__}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="{train,predict,export,demo,bench,measure,info}")
    _add_train(commands)
    _add_predict(commands)
    _add_export(commands)
    _add_demo(commands)
    _add_bench(commands)
    add = commands.add_parser("measure", help="what training on several processes is made of: rates, and sums by size")
    measuring.add_options(add)
    add.set_defaults(command=measuring.measure)
    add = commands.add_parser("info", help="show version, instruction set, threads, dtypes and packaged data")
    add.set_defaults(command=info)
    return parser


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = commands.add_parser(
        "train",
        help="train a classifier and test it",
        description="Train a classifier: hidden layers of relu units, or convolutions over images, then a softmax over "
        "the classes. Prints the progress of each epoch, the accuracy on the test data, and ten example predictions.",
    )
    option(add, "--data", TRAIN_DATA, ["mnist"], shown="mnist", nargs="+", metavar="FILE")
    option(add, "--label", LABEL, shown="label, target, class or y, else the last", metavar="COLUMN")
    option(add, "--model", MODELS, "dense", choices=networks.KINDS)
    option(add, "--epochs", "passes over the training data", 5, type=positive_int, metavar="N")
    option(add, "--batch-size", "samples for each step", 128, type=positive_int, metavar="N")
    option(add, "--optimizer", "rule by which the weights move", "rmsprop", choices=OPTIMIZERS)
    option(add, "--learning-rate", "length of a step", shown="the optimizer's", type=positive_float, metavar="R")
    help_text = "how the learning rate goes: constant, or falling to 0 at the last step along half a cosine"
    shown = "cosine for convnet, constant for dense"
    option(add, "--schedule", help_text, shown=shown, choices=("constant", "cosine"))
    help_text = "units of each hidden dense layer, first to last; without a number none: of dense, a linear classifier"
    option(add, "--hidden", help_text, shown="512 for dense, none behind the convolutions", type=positive_int,
           nargs="*", metavar="N")
    help_text = "start of the random numbers; the same seed gives the same result, bit for bit"
    option(add, "--seed", help_text, 0, type=seed_number, metavar="N")
    option(add, "--samples", "use only the first N training samples", shown="all", type=positive_int, metavar="N")
    help_text = "file for the trained model, for `cytensor predict`"
    option(add, "--save", help_text, shown="not saved", type=model_path, metavar="MODEL.safetensors")
    help_text = "file that is written after every epoch and, where it exists, gone on from: the result is the same"
    option(add, "--resume", help_text, shown="not kept", metavar="FILE")
    help_text = "picture of the learning curves, .png or .pdf; the test data is then evaluated after every epoch"
    option(add, "--plot", help_text, shown="not drawn", metavar="FILE")
    help_text = "train on all processes that `mpiexec -n N cytensor train` started; needs the extra mpi"
    add.add_argument("--distributed", action="store_true", help=help_text)
    help_text = ("with --distributed, parts into which each batch is cut, a multiple of N: the result is the same, bit "
                 "for bit, for every N that divides it")
    option(add, "--shards", help_text, shown="one for each process", type=positive_int, metavar="S")
    add.set_defaults(command=train)


def _add_predict(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = commands.add_parser(
        "predict",
        help="predict with a model that train saved",
        description="Predict with a model that `cytensor train --save` wrote: the classes of pictures of one's own, or "
        "of data, whose first predictions are shown, and the accuracy where it has labels.",
    )
    add.add_argument("model", metavar="MODEL.safetensors", help="file written by cytensor train --save")
    help_text = "pictures to predict in place of data; made gray, square, of the model's size and light on dark"
    add.add_argument("pictures", metavar="PICTURE", nargs="*", help=help_text)
    option(add, "--data", TEST_DATA, shown="mnist", nargs="+", metavar="FILE")
    option(add, "--label", LABEL, shown="as in training", metavar="COLUMN")
    option(add, "--count", "predictions to show", EXAMPLES, type=positive_int, metavar="N")
    help_text = "picture, .png or .pdf, of the first images and of the confusion matrix where the data has labels"
    option(add, "--plot", help_text, shown="not drawn", metavar="FILE")
    add.set_defaults(command=predict)


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = commands.add_parser(
        "export",
        help="write a saved model as ONNX, for other programs",
        description="Write a model that `cytensor train --save` or `model.save` wrote as a file of ONNX, which other "
        "programs run without cytensor; the number of samples stays open.",
    )
    add.add_argument("model", metavar="MODEL.safetensors", help="file of a saved model")
    add.add_argument("file", metavar="MODEL.onnx", help="file to write")
    add.set_defaults(command=export)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = commands.add_parser(
        "demo",
        help="train a network for a minute, then draw digits and see them recognised",
        description="Train a network of convolutions on digits for a minute, then serve a page to draw digits in, with "
        "the ten probabilities and what each layer sees. The page is for this machine alone; Ctrl-C ends it.",
    )
    option(add, "--port", "of the page's address, 0 for any that is free", 8080, type=port_number, metavar="N")
    option(add, "--seconds", "how long to train, roughly", 60, type=positive_float, metavar="S")
    help_text = "a saved model of pictures in place of the training"
    option(add, "--model", help_text, shown="one is trained", metavar="MODEL.safetensors")
    help_text = "file for the trained model, for --model another time"
    option(add, "--save", help_text, shown="not saved", type=model_path, metavar="MODEL.safetensors")
    option(add, "--seed", "start of the random numbers", 0, type=seed_number, metavar="N")
    add.add_argument("--open", action="store_true", help="open the page in the browser once it is ready")
    add.set_defaults(command=demo)


def _add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = commands.add_parser(
        "bench",
        help="compare the speed on this machine with NumPy's and others'",
        description="A short comparison on this machine, in half a minute: operations, matrix products, and a training "
        "step, beside NumPy and, where they are installed, PyTorch and JAX. The results are compared too.",
    )
    option(add, "--seconds", "time for each cell of the table", 0.3, type=positive_float, metavar="S")
    option(add, "--plot", "picture of the table, .png, .svg or .pdf", shown="not drawn", metavar="FILE")
    add.set_defaults(command=bench)


# The commands


def train(options: argparse.Namespace) -> None:
    """cytensor train"""
    with distributed.on_all_processes(options) as is_first:
        train_here(options, is_first)


def train_here(options: argparse.Namespace, writes: bool) -> None:
    """What each process does; `writes`: the files of the options too."""
    check_plot(options.plot)
    for path in filter(None, (options.save, options.resume)) if writes else ():
        check_target(path)
    samples, test = data.training(options.data, options.label, options.samples, options.seed)
    if options.model == "convnet":
        samples, test = (part._replace(x=networks.as_images(part.x), table=False) for part in (samples, test))
    classes = int(max(samples.labels.max(), test.labels.max())) + 1
    ct.set_seed(options.seed)
    model = networks.build(options.model, samples, options.hidden, classes)
    optimizer = optimizer_of(options, len(samples.x))
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    print(f"{len(samples.x)} samples of shape {samples.x.shape[1:]} to train on, {len(test.x)} to test with, {classes} "
          f"classes" + (f": {', '.join(samples.names)}" if samples.names else ""), flush=True)
    history = model.fit(samples.x, samples.y, batch_size=options.batch_size, epochs=options.epochs,
                        resume=options.resume, validation_data=(test.x, test.y) if options.plot else None)
    loss, accuracy = model.evaluate(test.x, test.y, verbose=0)
    print(f"\nTest accuracy: {accuracy:.4f} (loss {loss:.4f})\n")
    shown = test._replace(x=test.x[:EXAMPLES], y=test.labels[:EXAMPLES])
    show_predictions(shown, model.predict(shown.x, verbose=0))
    if options.save and writes:
        model.save(options.save)
        print(f"\nModel saved. Use it with: cytensor predict {options.save}")
    if options.plot and writes:
        title = f"{' '.join(options.data)}: {len(samples.x):,} samples"
        plots.plot_history(history, options.plot, title=title, validation_name="test")
        print(f"\nLearning curves drawn: {options.plot}")


def optimizer_of(options: argparse.Namespace, samples: int) -> ct.optimizers.Optimizer:
    """The optimizer that the options ask for, for so many training samples."""
    make = getattr(ct.optimizers, OPTIMIZERS[options.optimizer])
    given = {"learning_rate": options.learning_rate} if options.learning_rate else {}
    optimizer: ct.optimizers.Optimizer = make(**given)
    if (options.schedule or networks.SCHEDULES[options.model]) == "constant":
        return optimizer
    steps = options.epochs * math.ceil(samples / options.batch_size)
    falling: ct.optimizers.Optimizer = make(ct.optimizers.schedules.CosineDecay(float(optimizer.learning_rate), steps))
    return falling


def what_is_kept(resume: str | None) -> str:
    """What an interrupted training can go on from, in words."""
    if resume is None:
        return "nothing is kept; with --resume FILE the same command would go on where it was"
    if not os.path.exists(resume):
        return f"nothing is kept yet: {resume} is written after each epoch"
    try:
        epoch = json.loads(read_file(resume)[1]["document"])["progress"]["epoch"] + 1
    except (ValueError, KeyError, TypeError):
        return f"{resume} cannot be read"
    return f"kept to the end of epoch {epoch} in {resume}; the same command goes on from there"


def predict(options: argparse.Namespace) -> None:
    """cytensor predict"""
    check_plot(options.plot)
    if options.pictures and (options.data or options.label):
        raise ValueError("give either pictures or --data; got both")
    model = ct.models.load_model(options.model)
    features = taken_by(model)
    if options.pictures:
        x, pictures = photos.read(options.pictures, model)
        show_pictures(options.pictures, pictures, probabilities_of(model, x))
        return
    samples = data.to_predict(options.data or ["mnist"], features, options.label)
    probabilities = probabilities_of(model, samples.x)
    if samples.names and len(samples.names) != probabilities.shape[1]:
        raise ValueError(f"--data: labels in words must be of all {probabilities.shape[1]} classes, to be numbered as "
                         f"in training; got {', '.join(samples.names)}")
    x, y, count = samples.x, samples.y, options.count
    if y is not None:
        print(f"Accuracy on {len(x)} samples: {np.mean(probabilities.argmax(axis=1) == y):.4f}\n")
    show_predictions(samples._replace(x=x[:count], y=None if y is None else y[:count]), probabilities[:count])
    if options.plot:
        plots.plot_predictions(x, y, probabilities, count, options.plot)
        print(f"\nPredictions drawn: {options.plot}")


def export(options: argparse.Namespace) -> None:
    """cytensor export"""
    model = ct.models.load_model(options.model)
    model.export(options.file)
    print(f"Exported {model.count_params():,} parameters to {options.file}, {os.path.getsize(options.file):,} bytes")


def demo(options: argparse.Namespace) -> None:
    """cytensor demo"""
    from cytensor.cli.demo import run

    run.demo(options)


def bench(options: argparse.Namespace) -> None:
    """cytensor bench"""
    from cytensor.cli.bench import run

    check_plot(options.plot)
    run.bench(options)


def info(options: argparse.Namespace) -> None:
    """cytensor info"""
    import cyops

    choices = ", ".join(cyops.available_isas())
    rows = {
        "version": ct.__version__,
        "python": f"{sys.version.split()[0]} on {sys.platform}",
        "numpy": np.__version__,
        "instruction set": f"{cyops.isa} (this processor has {choices}; CYOPS_ISA chooses)",
        "threads": f"{cyops.get_num_threads()} (CYOPS_NUM_THREADS or OMP_NUM_THREADS chooses)",
        "dtypes": ", ".join([*(name for name, *_ in cyops.dtype_rows()), "strings"]),
        "networks": f"{', '.join(networks.KINDS)} (cytensor train --model chooses)",
        "packaged data": f"mnist, {os.path.getsize(mnist.PACKAGED):,} bytes, {mnist.PACKAGED}",
    }
    for name, value in rows.items():
        print(f"{name:16} {value}")


# Model


def taken_by(model: ct.Model) -> tuple[int, ...]:
    """The shape of one sample; ValueError where the model takes no one array of known lengths."""
    shape = model.build_shape
    if not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape[1:]):
        raise ValueError(f"the model must take one array of known lengths; it takes {shape}")
    return shape[1:]


def probabilities_of(model: ct.Model, x: Array) -> Array:
    """Those of the classes (n, classes); one output is that of the second of two."""
    probabilities = model.predict(x, verbose=0)
    if probabilities.ndim != 2:
        raise ValueError(f"the model must give a probability for each class, (n, classes); got {probabilities.shape}")
    return np.hstack([1 - probabilities, probabilities]) if probabilities.shape[1] == 1 else probabilities


# Text


def show_predictions(samples: data.Samples, probabilities: Array) -> None:
    """Print a line for each sample: its label if known, the likeliest class and its probability; images as pictures."""
    x, y, names = networks.as_pictures(samples.x), samples.y, samples.names
    predicted = probabilities.argmax(axis=1)

    def called(label: Any) -> str:
        return names[label] if names else str(label)

    if x.ndim == 3:
        wrong = ["" if y is None or y[i] == guess else f", is {called(y[i])}" for i, guess in enumerate(predicted)]
        captions = [f"{called(guess)} ({probabilities[i, guess]:.0%}){wrong[i]}" for i, guess in enumerate(predicted)]
        print(f"What the model sees in the first {len(x)} test images, and how sure it is:\n")
        print(ascii_art.gallery(x, captions))
        return
    longest = max(map(len, names)) if names else 0
    first, second = max(5, longest), max(9, longest)
    print(f"{'sample':>6}  {'label':>{first}}  {'predicted':>{second}}  {'probability':>11}")
    for i, guess in enumerate(predicted):
        label = "" if y is None else called(y[i])
        mark = "" if y is None or y[i] == guess else "  wrong"
        print(f"{i:>6}  {label:>{first}}  {called(guess):>{second}}  {probabilities[i, guess]:>11.4f}{mark}")


def show_pictures(paths: Sequence[str], pictures: Array, probabilities: Array) -> None:
    """Print each picture as the model sees it, and a line with its file, the likeliest class and its probability."""
    names = [os.path.basename(path) for path in paths]
    print("What the model sees:\n")
    print(ascii_art.gallery(pictures, [name[:ascii_art.WIDTH] for name in names]))
    wide = max(map(len, ["picture", *names]))
    print(f"\n{'picture':{wide}}  {'class':>5}  {'probability':>11}")
    for name, row in zip(names, probabilities, strict=True):
        print(f"{name:{wide}}  {row.argmax():>5}  {row.max():>11.4f}")


def check_plot(path: str | None) -> None:
    """Raise before the work is done where its picture could not be drawn or written."""
    if path is not None:
        plots.check_path("--plot", path)
