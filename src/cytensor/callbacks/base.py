"""Callback, the list that calls them, and the simplest ones: History and LambdaCallback."""
from cytensor import arguments
from cytensor.damage import EPOCHS, VALUE, check_fields, dictionary_of, list_of

HOOKS = ("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_train_batch_begin",
         "on_train_batch_end", "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end",
         "on_predict_begin", "on_predict_end", "on_predict_batch_begin", "on_predict_batch_end")


class Callback:
    """Base class: define the methods wanted; each is called by `fit`, `evaluate` and `predict` at its time.

    `self.model` is the model, `self.params` a dictionary with "epochs", "steps" and "verbose". `logs` holds floats
    and must not be kept without copying.
    """
    model = None
    params = None
    state_rules: tuple[tuple[str, arguments.Rule], ...] = ()   # attributes to go on from; what each must be

    def __new__(cls, *args, **kwargs):
        arguments.check(cls, args, kwargs)
        return super().__new__(cls)

    def set_params(self, params):
        self.params = params

    def set_model(self, model):
        self.model = model

    def get_state(self):
        """What must be known to go on after an interruption: a dictionary of numbers, strings, lists and arrays."""
        return {name: getattr(self, name) for name, _ in self.state_rules}

    def check_state(self, state, key):
        """Raise ValueError, with `key` in it, where `state` is nothing that `get_state` returns."""
        if type(self).get_state is Callback.get_state:
            check_fields(state, dict(self.state_rules), f"{key}.")

    def set_state(self, state):
        """Take back what `get_state` returned."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_train_begin(self, logs=None):
        """Before the first epoch."""

    def on_train_end(self, logs=None):
        """After the last epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before each epoch; the first is 0."""

    def on_epoch_end(self, epoch, logs=None):
        """After each epoch and its validation."""

    def on_batch_begin(self, batch, logs=None):
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before each batch of training; the first of an epoch is 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """After each batch of training."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs=None):
        """Before `evaluate` and before validation."""

    def on_test_end(self, logs=None):
        """After them."""

    def on_test_batch_begin(self, batch, logs=None):
        """Before each of their batches."""

    def on_test_batch_end(self, batch, logs=None):
        """After each of their batches."""

    def on_predict_begin(self, logs=None):
        """Before `predict`."""

    def on_predict_end(self, logs=None):
        """After it."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before each of its batches."""

    def on_predict_batch_end(self, batch, logs=None):
        """After each of its batches."""


_OLDER = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _defines(callback, hook):
    """Whether a callback or its class has its own version of a hook; the others are never called."""
    return any(getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
               for name in (hook, _OLDER.get(hook)) if name)


class CallbackList(Callback):
    """Calls the hooks of many callbacks; those that a callback does not define cost nothing.

    For loops of one's own: `calls = CallbackList(callbacks, add_history=True, model=model, epochs=3)`, then
    `calls.on_train_begin()` and so on. callbacks: a callback or lists of them; add_history, add_progbar: add a History
    and a bar where there is none; the other arguments are the `params` of the callbacks.
    """
    history = None                     # the first History among the callbacks

    def __init__(self, callbacks=None, add_history=False, add_progbar=False, model=None, **params):
        self.model, self.params = model, params
        self.callbacks = []
        self.methods = {hook: [] for hook in HOOKS}
        for callback in _flat(callbacks):
            self.append(callback)
        if add_history and self.history is None:
            self.append(History())
        if add_progbar:
            from cytensor.progress import TrainProgress
            self.append(TrainProgress(params.get("verbose", 1), params.get("steps"), params.get("epochs", 1)))

    def append(self, callback):
        """Add a callback behind the others."""
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks: each must be a Callback instance; got {callback!r}")
        callback.set_params(self.params)
        callback.set_model(self.model)
        self.callbacks.append(callback)
        if isinstance(callback, History) and self.history is None:
            self.history = callback
        for hook in HOOKS:
            if _defines(callback, hook):
                self.methods[hook].append(getattr(callback, hook))

    def set_params(self, params):
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model):
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def call(self, hook, *args):
        """Call one hook of all callbacks."""
        for method in self.methods[hook]:
            method(*args)


def _flat(callbacks):
    """The callbacks in nested lists, in order."""
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [callback for item in callbacks for callback in _flat(item)]
    return [callbacks]


def _calls_all(hook):
    """The method of CallbackList that calls `hook` of all callbacks."""
    def of_epoch(self, epoch, logs=None):
        self.call(hook, epoch, {} if logs is None else logs)

    def of_batch(self, batch, logs=None):
        self.call(hook, batch, {} if logs is None else logs)

    def whole(self, logs=None):
        self.call(hook, {} if logs is None else logs)

    method = of_epoch if "epoch" in hook else of_batch if "batch" in hook else whole
    method.__name__, method.__doc__ = hook, f"Call `{hook}` of all callbacks."
    return method


for _hook in HOOKS:
    setattr(CallbackList, _hook, _calls_all(_hook))


class History(Callback):
    """Collects the logs of every epoch: `epoch` numbers them, `history` has a list of floats for each name."""
    state_rules = (("epoch", EPOCHS), ("history", dictionary_of(list_of(VALUE, "numbers"), "lists of numbers")),
                   ("_epochs", dictionary_of(EPOCHS, "lists of integers")))

    def __init__(self):
        self.epoch = []
        self.history = {}
        self._epochs = {}              # the epochs of the values: not every epoch is validated

    def on_train_begin(self, logs=None):
        self.__init__()

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def epochs_of(self, name):
        """The epochs (from 0) whose logs had a value of that name."""
        return list(self._epochs[name])

    def plot(self, path=None, quantities=None, title=None):
        """Draw the learning curves and return the figure; see `cytensor.plots.plot_history`.

        path: a file to write as well. quantities: the names to draw, by default all. Needs matplotlib.
        """
        from cytensor.plots import plot_history
        return plot_history(self, path, quantities, title)


class LambdaCallback(Callback):
    """A callback made of functions: LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))."""

    def __init__(self, **functions):
        for hook, function in functions.items():
            if hook not in HOOKS and hook not in _OLDER.values():
                raise TypeError(f"LambdaCallback: unknown hook {hook!r}; known are {', '.join(HOOKS)}")
            if function is not None and not callable(function):
                raise TypeError(f"LambdaCallback: {hook} must be a function; got {function!r}")
            if function is not None:
                setattr(self, hook, function)
