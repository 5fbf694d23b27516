"""SIGKILL at random moments of a `fit` with checkpoints: `make kill`, or `cd tests; python kill.py`.

KILLS kills (200) from FUZZ_SEED (a new one each time, printed). A process that trains is killed at a random time, or in
the middle of a write: half of a file on the disk, or the file whole and not yet renamed. The next process knows nothing
of it but its files, goes on, and may be killed in turn. What the last one shows must be what a run without a kill
shows, bit for bit: history, weights, the optimizer's state, the log, and the weights that ModelCheckpoint wrote.
"""
import concurrent.futures
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

EPOCHS, BATCHES = 3, 12
PLACES = ("time", "time", "fsync", "replace")
END = 120                        # seconds after which a process is said to hang


# -- a process that trains --------------------------------------------------------------------------------------------
def train(folder, seed, place, count):
    """Fit in `folder` and leave there what came out; `place` and `count`: the call of os that is the last one."""
    import numpy as np

    from cytensor import callbacks, layers, metrics, optimizers
    from cytensor import random as streams
    from cytensor.models import Sequential, load_model

    streams.set_seed(seed)
    source = np.random.default_rng(3)
    x = source.standard_normal((8 * BATCHES - 3, 4)).astype(np.float32)
    y = (x[:, :1] > 0).astype(np.float32)
    model = Sequential([layers.Input((4,)), layers.Dense(16, "relu"), layers.Dropout(0.3), layers.BatchNormalization(),
                        layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=2), "binary_crossentropy",
                  metrics=["accuracy", metrics.AUC(num_thresholds=9)])
    watching = [callbacks.BackupAndRestore(folder / "backup", save_freq=1, delete_checkpoint=False),
                callbacks.ModelCheckpoint(folder / "best.safetensors", "loss", save_best_only=True, save_freq=5),
                callbacks.ModelCheckpoint(folder / "{epoch}.safetensors"), callbacks.CSVLogger(folder / "log.csv"),
                callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True),
                callbacks.ReduceLROnPlateau("loss", patience=1)]
    if place != "time":
        die_in(place, count)
    print("begun", flush=True)
    history = model.fit(x, y, batch_size=8, epochs=EPOCHS, verbose=0, validation_split=0.2, callbacks=watching).history
    result = {"history": history, "weights": model.get_weights(), "steps": model.optimizer.calls,
              "slots": [np.array(slot) for slot in model.optimizer.variables],
              "log": (folder / "log.csv").read_text(),
              **{name: load_model(folder / f"{name}.safetensors").get_weights()
                 for name in ("best", *map(str, range(1, EPOCHS + 1)))}}
    (folder / "result").write_bytes(pickle.dumps(result))


def die_in(place, count):
    """Make the count-th call of os.fsync or os.replace the last: after half of the file, or before it has its name."""
    real, left = getattr(os, place), [count]

    def last(*args):
        left[0] -= 1
        if left[0] == 0:
            if place == "fsync" and not os.path.isdir(f"/proc/self/fd/{args[0]}"):
                os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args)

    setattr(os, place, last)


# -- who starts and kills them ----------------------------------------------------------------------------------------
def run(folder, rng, place="time", count=0, after=None):
    """(return code, seconds of the fit) of one process, killed so many seconds after the fit has begun.

    A seed is what the first process begins with; one that goes on has another, which must not matter.
    """
    seed = rng.randrange(10**6) if (folder / "backup" / "latest.safetensors").exists() else 4
    command = [sys.executable, __file__, str(folder), str(seed), place, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(END, process.kill)
        watchdog.start()
        try:
            process.stdout.readline()
            began = time.perf_counter()
            if after is not None:
                time.sleep(after)
                process.kill()
            errors = process.communicate()[1]
        finally:
            watchdog.cancel()
    seconds = time.perf_counter() - began
    assert seconds < END - 1, f"no end after {END} s"
    assert process.returncode in (0, -signal.SIGKILL), errors[-3000:]
    return process.returncode, seconds


def chain(number, seed, expected, length):
    """One run that is killed up to four times; returns where it was, and what differs at its end."""
    rng, kills = random.Random(f"{seed} {number}"), []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for _ in range(rng.randint(1, 4)):
            place = rng.choice(PLACES)
            after = rng.uniform(0, length) if place == "time" else None
            code, _ = run(folder, rng, place, rng.randint(1, 40), after)
            if code == 0:
                break
            kills.append(place)
        if code != 0:
            run(folder, rng)
        result = pickle.loads((folder / "result").read_bytes())
    return kills, [key for key in expected if not same(result[key], expected[key])]


def same(a, b):
    """Equal to the last bit."""
    return pickle.dumps(_plain(a)) == pickle.dumps(_plain(b))


def _plain(value):
    if isinstance(value, dict):
        return [(key, _plain(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return (value.shape, value.dtype.str, value.tobytes()) if hasattr(value, "tobytes") else repr(value)


def main(seed, wanted):
    print(f"FUZZ_SEED={seed} KILLS={wanted}", flush=True)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        _, length = run(folder := Path(folder), random.Random())
        expected = pickle.loads((folder / "result").read_bytes())
    kills, chains = [], 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        while len(kills) < wanted:
            numbers = range(chains, chains + max(1, -(-(wanted - len(kills)) // 3)))
            chains += len(numbers)
            for number, (places, wrong) in zip(numbers, pool.map(
                    lambda number: chain(number, seed, expected, length), numbers), strict=True):
                kills += places
                if wrong:
                    pool.shutdown(cancel_futures=True)
                    print(f"FAILED: {', '.join(wrong)} differ after chain {number} of FUZZ_SEED={seed}")
                    return 1
    seconds = time.perf_counter() - began
    print(f"{len(kills)} kills of {chains} runs, every one resumed to the same bits, in {seconds:.0f} s: "
          f"{kills.count('time')} at random times, {kills.count('fsync')} with half a file written, "
          f"{kills.count('replace')} before its renaming")
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        train(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        sys.exit(main(int(os.environ.get("FUZZ_SEED") or random.randrange(10**6)), int(os.environ.get("KILLS") or 200)))
