"""What all ranks must have alike before the first step: compared by hash, and shown where it differs."""
import hashlib
import json
import platform
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

import cyops
from cytensor.data.arrays import ArrayBatches
from cytensor.distribution.mpi import Processes
from cytensor.tensor import Tensor, Variable

if TYPE_CHECKING:
    from cytensor.distribution.data_parallel import DataParallel
    from cytensor.training.evaluation import Batches
    from cytensor.training.trainer import Trainer

LONGEST = 200                          # letters of a value in an error
ROWS = 64                              # rows of the data that are compared, spread over all of them


def description(model: "Trainer", batches: "Batches", strategy: "DataParallel", epochs: int | None) -> dict[str, str]:
    """What is compared, by name: texts that are short or a hash."""
    import cytensor
    given = model._compiled.given
    found = {
        "version of cytensor": cytensor.__version__,
        "version of NumPy": np.__version__,
        "version of Python": platform.python_version(),
        "number format": f"{np.dtype(np.intp).itemsize * 8} bits, {np.dtype(np.float32).str}",
        "model": f"{type(model).__name__}, {len(model.flattened()) - 1} layers",
        "architecture": _architecture(model),
        "weights": _short([(one.name, tuple(one.shape), str(one.dtype), one.trainable) for one in _weights(model)]),
        "optimizer": _short(_configuration(model.optimizer)),
        "loss, loss_weights and metrics": _short({key: _configuration(given[key]) for key in sorted(given)
                                                  if key != "optimizer"}),
        "steps taken by the optimizer": str(model.optimizer.calls),
        "epochs": str(epochs),
        "shards, auto_shard_dataset": f"{strategy.shards}, {strategy.auto_shard_dataset}",
        **_of_data(batches, strategy.auto_shard_dataset),
    }
    if strategy.shards is not None:
        found["instruction set"] = cyops.isa           # the same bits are promised
    return found


def compare(processes: Processes, mine: dict[str, str]) -> None:
    """ValueError that names what differs, and on which ranks, unless all ranks have the same."""
    if len(set(processes.gather(_hash(json.dumps(mine, sort_keys=True))))) == 1:
        return
    everyone = processes.gather(mine)
    lines = []
    for name in sorted({name for theirs in everyone for name in theirs}):
        values = [theirs.get(name, "nothing") for theirs in everyone]
        usual = Counter(values).most_common(1)[0][0] if len(values) > 2 else values[0]
        others = [rank for rank, value in enumerate(values) if value != usual]
        if others:
            lines += [f"{name}: {_cut(usual)} on rank {values.index(usual)}" + "".join(
                f", {_cut(values[rank])} on rank {rank}" for rank in others[:4])]
    raise ValueError("DataParallel: all ranks must train the same model in the same way; different are\n  "
                     + "\n  ".join(lines))


def _weights(model: "Trainer") -> list[Variable]:
    return list(model.weights) if model.built else []


def _architecture(model: "Trainer") -> str:
    """A hash of the model's configuration; of the classes of its layers where it cannot say."""
    try:
        return _hash(json.dumps(model.get_config(), sort_keys=True, default=repr))
    except Exception:
        return _short([type(layer).__name__ for layer in model.flattened()])


def _configuration(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _configuration(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_configuration(item) for item in value]
    try:
        return [type(value).__name__, value.get_config()]
    except Exception:
        return value if isinstance(value, (str, int, float, type(None))) else type(value).__name__


def _of_data(batches: "Batches", is_shared: bool) -> dict[str, str]:
    """What is read, and in which batches; where all ranks read the same, also a hash of some of its rows."""
    found = {"steps of an epoch": str(batches.wanted), "batches of an epoch": str(batches.steps)}
    if not isinstance(batches, ArrayBatches):
        return found
    found["order of the samples"] = f"shuffle={batches.shuffle!r}, seed {batches.key}"
    if not is_shared:
        return found
    found["batch_size"] = str(batches.batch_size)
    found["samples"] = str(batches.samples)
    rows = np.unique(np.linspace(0, batches.samples - 1, ROWS).astype(np.int64))
    found["data"] = "; ".join(_of_rows(tensor, rows) for tensor, _ in batches._parts)
    return found


def _of_rows(tensor: Tensor, rows: Any) -> str:
    values = np.stack([np.asarray(tensor[int(row)]) for row in rows])
    return f"{tuple(tensor.shape)} {tensor.dtype}, hash {_hash(values.tobytes())[:12]}"


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=repr)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... hash {_hash(text)[:12]}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST + 40 else text[:LONGEST + 40] + "..."


def _hash(value: str | bytes) -> str:
    return hashlib.blake2b(value.encode() if isinstance(value, str) else value, digest_size=16).hexdigest()
