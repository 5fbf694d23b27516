"""`python -m fuzz_files`: FUZZ_FILES damaged files (20000) of each format, from FUZZ_SEED (a new one each time).

Loading one must give what the file says, or raise ValueError that names the file and leave everything as it was: within
SECONDS and MEGABYTES, in a process that lives on. The first failure ends the run and prints a program that writes the
file again; FUZZ_FORMATS=model,idx runs these formats alone.
"""
import base64
import os
import random
import signal
import sys
import tempfile
import time
import warnings
import zlib

import blocks
import numpy as np

from fuzz_files.formats import FORMATS

BLOCK = 2500
SECONDS, MEGABYTES = 10, 256     # of one load
BLOCK_SECONDS = 900


class TooLong(Exception):
    """A load that did not end in time."""


def too_long(*args):
    raise TooLong(f"no end after {SECONDS} s of computing")


def limit_memory():
    """Let the process grow by MEGABYTES from here; where that cannot be said, only a crash is seen."""
    try:
        import resource
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
    except (ImportError, OSError):
        return
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEGABYTES * 2**20, resource.RLIM_INFINITY))


def fault_of(form):
    """What is wrong with loading the file as it lies there; None where nothing is, True where it was refused well."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        form.load()
    except ValueError as error:
        return True if str(form.path) in str(error) else f"an error that does not name the file: {error!r}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return repr(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def mutated(form, seed, number):
    """The bytes of one case."""
    return form.mutate(np.random.default_rng([seed, sorted(FORMATS).index(form.kind), number]))


def open_format(kind, folder):
    form = FORMATS[kind](folder)
    form.kind = kind
    return form


def work(kind, seed, first, count, trace):
    """What a process of its own does: print how many were refused, or the number of the case that failed and why."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    os.fsync = lambda handle: None                 # thousands of files follow
    signal.signal(signal.SIGPROF, too_long)
    trace, refused = blocks.Trace(trace), 0
    with tempfile.TemporaryDirectory() as folder:
        form = open_format(kind, folder)
        form.path.write_bytes(form.sound)
        assert fault_of(form) is None, f"the sound file cannot be loaded: {fault_of(form)}"
        limit_memory()
        for number in range(int(first), int(first) + int(count)):
            trace.note(str(number))
            form.path.write_bytes(mutated(form, int(seed), number))
            fault = fault_of(form)
            refused += fault is True
            if isinstance(fault, str):
                print(number, fault.replace("\n", " "))
                return 1
    print(refused)
    return 0


PROGRAM = """import base64, os, zlib
path = {name!r}
with open(path, "wb") as file:
    file.write(zlib.decompress(base64.b85decode({content!r})))
{call}
"""
CALLS = {
    "model": "import cytensor as ct\nct.load_model(path)",
    "npz": "from cytensor.datasets import mnist\nmnist.load_data(path)",
    "idx": "from cytensor.datasets import load_idx\nload_idx(path)",
    "weights": "# from the folder tests, with the file there:\nfrom fuzz_files.formats import Weights\n"
               "form = Weights('.')\nopen(form.path, 'wb').write(open(path, 'rb').read())\nform.load()",
}
TABLE = "from cytensor.cli import data\n"
CALLS |= {"npy": TABLE + "data.to_predict([path], (4,))", "csv": TABLE + "data.training([path])"}
CALLS |= {"idx.gz": CALLS["idx"], "checkpoint": CALLS["weights"].replace("Weights", "Checkpoint")}


def program(kind, seed, number):
    """A program that writes the file of a case and loads it."""
    with tempfile.TemporaryDirectory() as folder:
        content = mutated(open_format(kind, folder), seed, number)
    packed = base64.b85encode(zlib.compress(content, 9)).decode()
    return PROGRAM.format(name=f"fault.{kind}", content=packed, call=CALLS[kind])


def main(seed, cases, kinds):
    began, counts, refused = time.perf_counter(), dict.fromkeys(kinds, 0), 0
    print(f"FUZZ_SEED={seed} FUZZ_FILES={cases}", flush=True)
    all_blocks = [(kind, seed, first, min(BLOCK, cases - first)) for first in range(0, cases, BLOCK) for kind in kinds]
    for done in blocks.run("fuzz_files", all_blocks, BLOCK_SECONDS):
        kind, *_, count = done.arguments
        if done.code != 0:
            number, _, reason = done.output.partition(" ") if done.code == 1 and done.output else (done.last, "", "")
            if number:
                print(program(kind, seed, int(number)))
            print(f"# FAILED: {kind} {number}: {reason or f'code {done.code}; {done.errors}'}\n# FUZZ_SEED={seed}")
            return 1
        counts[kind] += count
        refused += int(done.output.split()[-1])
    seconds = time.perf_counter() - began
    print(f"{sum(counts.values())} files, {refused} refused, none loaded wrongly, in {seconds:.0f} s: "
          f"{', '.join(f'{count} {kind}' for kind, count in counts.items())}")
    return 0


if __name__ == "__main__":
    chosen = os.environ.get("FUZZ_FORMATS")
    sys.exit(work(*sys.argv[1:]) if len(sys.argv) > 1 else main(
        int(os.environ.get("FUZZ_SEED") or random.randrange(10**6)), int(os.environ.get("FUZZ_FILES") or 20_000),
        chosen.split(",") if chosen else list(FORMATS)))
