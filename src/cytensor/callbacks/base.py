"""Callback, the list that calls them, and the simplest ones: History and LambdaCallback."""

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

    def set_params(self, params):
        self.params = params

    def set_model(self, model):
        self.model = model

    def get_state(self):
        """What must be known to go on after an interruption: a dictionary of numbers, strings, lists and arrays."""
        return {}

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


class CallbackList:
    """Calls the hooks of many callbacks; those that a callback does not define cost nothing."""

    def __init__(self, callbacks, model, params):
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(f"callbacks: each must be a Callback instance; got {callback!r}")
            callback.set_params(params)
            callback.set_model(model)
        self.methods = {hook: [getattr(callback, hook) for callback in self.callbacks if _defines(callback, hook)]
                        for hook in HOOKS}

    def call(self, hook, *args):
        """Call one hook of all callbacks."""
        for method in self.methods[hook]:
            method(*args)


class History(Callback):
    """Collects the logs of every epoch: `epoch` numbers them, `history` has a list of floats for each name."""

    def __init__(self):
        self.epoch = []
        self.history = {}
        self._epochs = {}              # the epochs of the values: not every epoch is validated

    def on_train_begin(self, logs=None):
        self.__init__()

    def get_state(self):
        return {"epoch": self.epoch, "history": self.history, "_epochs": self._epochs}

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
            if function is not None:
                setattr(self, hook, function)
