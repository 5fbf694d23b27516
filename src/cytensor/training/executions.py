"""When callbacks hear of batches: once for every `steps_per_execution` of them. Imported by the loops."""
from collections.abc import Callable
from typing import Any

from cytensor.callbacks import CallbackList


class Executions:
    """Calls on_..._batch_begin before, and on_..._batch_end behind, every `size` batches of one pass, as Keras does.

    kind: "train", "test" or "predict". An execution's number is that of its first batch at its beginning, and that of
    the last which would fit into it at its end: 8 batches by 3 begin at 0, 3 and 6 and end with 2, 5 and 8.

    >>> from cytensor.callbacks import LambdaCallback
    >>> calls = CallbackList(LambdaCallback(on_train_batch_end=lambda batch, logs: print(batch, logs["loss"])))
    >>> executions = Executions(calls, "train", 2)
    >>> for step in range(3):
    ...     executions.begin(step)
    ...     ended = executions.end(step, {"loss": step})
    1 1
    >>> executions.finish({"loss": 2})
    3 2
    """

    size: int
    begins: list[Callable[..., Any]]
    ends: list[Callable[..., Any]]

    def __init__(self, calls: CallbackList, kind: str, size: int) -> None:
        self.size = size
        self.begins, self.ends = (calls.methods[f"on_{kind}_batch_{side}"] for side in ("begin", "end"))
        self._last: int | None = None              # the number that the open execution ends with, None where none is

    def begin(self, step: int) -> None:
        """Before batch `step` (from 0)."""
        if self._last is None:
            self._last = step - step % self.size + self.size - 1
            for method in self.begins:
                method(step, {})

    def end(self, step: int, logs: Any) -> bool:
        """After batch `step`; whether an execution ends with it."""
        if not self.ends_with(step):
            return False
        self.finish(logs)
        return True

    def ends_with(self, step: int) -> bool:
        """Whether batch `step` is the last of the execution."""
        return step == self._last

    def finish(self, logs: Any) -> None:
        """After the last batch of a pass: ends an execution that had fewer."""
        if self._last is not None:
            last, self._last = self._last, None
            for method in self.ends:
                method(last, logs)
