"""The command itself: a network trained for about a minute, or a saved one, behind the page until Ctrl-C."""
import argparse
import math
import threading
import time
import webbrowser

import cytensor as ct
from cytensor.callbacks import Callback
from cytensor.cli import data, networks
from cytensor.cli.demo.recognizer import Recognizer
from cytensor.cli.demo.server import Server
from cytensor.types import Array, Logs

BATCH = 128
WARM_UP, TIMED = 3, 10             # steps before the pace is measured, and over which it is


def demo(options: argparse.Namespace) -> None:
    """cytensor demo"""
    saved = Recognizer(ct.load_model(options.model)) if options.model else None
    with Server(options.port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            server.recognizer = saved or Recognizer(train(server, options))
            print(f"\nDraw a digit at {server.url}   (Ctrl-C ends)", flush=True)
            if options.open:
                webbrowser.open(server.url)
            _until_interrupted()
        finally:
            server.shutdown()
            thread.join()


def _until_interrupted() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print("\nclosed", flush=True)


def train(server: Server, options: argparse.Namespace) -> ct.Model:
    """The network for digits after about `options.seconds` of training, saved where that is asked for."""
    samples, test = (part._replace(x=networks.as_images(part.x)) for part in data.training(["mnist"]))
    ct.set_seed(options.seed)
    count, epochs = planned(seconds_per_step(samples.x, samples.labels), options.seconds, len(samples.x))
    ct.set_seed(options.seed)
    model = network(math.ceil(count / BATCH) * epochs)
    often = "once" if epochs == 1 else f"{epochs} times over"
    print(f"Training on {count:,} digits, {often}. The page is at {server.url} already and says how far it is.",
          flush=True)
    model.fit(samples.x[:count], samples.labels[:count], batch_size=BATCH, epochs=epochs,
              callbacks=[Report(server, epochs, math.ceil(count / BATCH))])
    accuracy = model.evaluate(test.x, test.labels, verbose=0)[1]
    print(f"It reads {accuracy:.2%} of the {len(test.x):,} digits it has not seen.")
    if options.save:
        model.save(options.save)
        print(f"Saved. Another time: cytensor demo --model {options.save}")
    return model


def network(steps: int) -> ct.Sequential:
    """Convolutions over images of bytes (28, 28, 1), to be trained for so many steps."""
    model = ct.Sequential([ct.layers.Input((28, 28, 1), dtype="uint8"), ct.layers.Rescaling(1 / 255)])
    for place, filters in enumerate(networks.FILTERS):
        if place:
            model.add(ct.layers.MaxPooling2D(2))
        model.add(ct.layers.Conv2D(filters, 3, activation="relu"))
    model.add(ct.layers.Flatten())
    model.add(ct.layers.Dense(10, activation="softmax"))
    rate = ct.optimizers.schedules.CosineDecay(1e-3, steps)
    model.compile(optimizer=ct.optimizers.RMSprop(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def seconds_per_step(x: Array, y: Array) -> float:
    """How long a training step takes here, on a network that is thrown away."""
    model = network(WARM_UP + TIMED)
    for _ in range(WARM_UP):
        model.train_on_batch(x[:BATCH], y[:BATCH])
    start = time.perf_counter()
    for _ in range(TIMED):
        model.train_on_batch(x[:BATCH], y[:BATCH])
    return (time.perf_counter() - start) / TIMED


def planned(per_step: float, seconds: float, samples: int) -> tuple[int, int]:
    """(samples, epochs) that fit into `seconds`: whole passes, or one over a part of the samples."""
    steps = max(1, int(seconds / per_step))
    epochs = steps // math.ceil(samples / BATCH)
    return (samples, epochs) if epochs else (min(samples, steps * BATCH), 1)


class Report(Callback):
    """Tells the page how far the training is."""
    server: Server
    epochs: int
    steps: int
    epoch: int

    def __init__(self, server: Server, epochs: int, steps: int) -> None:
        super().__init__()
        self.server, self.epochs, self.steps, self.epoch = server, epochs, steps, 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        done = (self.epoch * self.steps + batch + 1) / (self.epochs * self.steps)
        self.server.state = f"{done:.0%}, accuracy {(logs or {}).get('accuracy', 0.0):.1%}"
