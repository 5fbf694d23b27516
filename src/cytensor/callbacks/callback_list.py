"""CallbackList: many callbacks called as one."""
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cytensor.callbacks.base import HOOKS, OLDER_HOOKS, Callback, History
from cytensor.parallel import is_follower
from cytensor.types import Logs

if TYPE_CHECKING:
    from cytensor.models import Model


Callbacks: TypeAlias = Callback | Sequence[Any] | None         # one, or lists of them and of lists


def _defines(callback: Callback, hook: str) -> bool:
    """Whether a callback or its class has its own version of a hook; the others are never called."""
    return any(getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
               for name in (hook, OLDER_HOOKS.get(hook)) if name)


class CallbackList(Callback):
    """Calls the hooks of many callbacks; those that a callback does not define cost nothing.

    For loops of one's own: `calls = CallbackList(callbacks, add_history=True, model=model, epochs=3)`, then
    `calls.on_train_begin()` and so on. callbacks: a callback or lists of them; add_history, add_progbar: add a History
    and a bar where there is none; the other arguments are the `params` of the callbacks.
    """
    history: History | None = None                     # the first History among the callbacks

    def __init__(self, callbacks: Callbacks = None, add_history: bool = False, add_progbar: bool = False,
                 model: Any = None, **params: Any) -> None:
        self.model, self.params = model, params
        self.callbacks: list[Callback] = []
        self.methods: dict[str, list[Callable[..., Any]]] = {hook: [] for hook in HOOKS}
        for callback in _flat(callbacks):
            self.append(callback)
        if add_history and self.history is None:
            self.append(History())
        if add_progbar:
            from cytensor.callbacks.progress import TrainProgress
            self.append(TrainProgress(params.get("verbose", 1), params.get("steps"), params.get("epochs", 1)))

    def __repr__(self) -> str:
        return f"<CallbackList {self.callbacks!r}>"

    def append(self, callback: Callback) -> None:
        """Add a callback behind the others."""
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks: each must be a Callback instance; got {callback!r}")
        callback.set_params(self.params)
        callback.set_model(self.model)
        self.callbacks.append(callback)
        if isinstance(callback, History) and self.history is None:
            self.history = callback
        if callback.writes and is_follower():
            return                     # another process writes
        for hook in HOOKS:
            if _defines(callback, hook):
                self.methods[hook].append(getattr(callback, hook))

    def set_params(self, params: dict[str, Any]) -> None:
        self.params: dict[str, Any] = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: "Model") -> None:
        self.model: Model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def call(self, hook: str, *args: Any) -> None:
        """Call one hook of all callbacks."""
        for method in self.methods[hook]:
            method(*args)


def _flat(callbacks: Callbacks) -> list[Any]:
    """The callbacks in nested lists, in order."""
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [callback for item in callbacks for callback in _flat(item)]
    return [callbacks]


def _calls_all(hook: str) -> Callable[..., None]:
    """The method of CallbackList that calls `hook` of all callbacks."""
    def of_epoch(self: CallbackList, epoch: int, logs: Logs | None = None) -> None:
        self.call(hook, epoch, {} if logs is None else logs)

    def of_batch(self: CallbackList, batch: int, logs: Logs | None = None) -> None:
        self.call(hook, batch, {} if logs is None else logs)

    def whole(self: CallbackList, logs: Logs | None = None) -> None:
        self.call(hook, {} if logs is None else logs)

    method: Callable[..., None] = of_epoch if "epoch" in hook else of_batch if "batch" in hook else whole
    method.__name__, method.__doc__ = hook, f"Call `{hook}` of all callbacks."
    return method


for _hook in HOOKS:
    setattr(CallbackList, _hook, _calls_all(_hook))
