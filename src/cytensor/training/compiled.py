"""What `compile` is given for each output of a model, where the model has one: the losses and metrics of Keras's
lists and dictionaries without these; and what it makes of it. Only trainer.py imports this.
"""
from cytensor import registry


def only(argument, value, name):
    """What a list of one entry, or a dictionary of one output's name, holds; anything else as it is.

    name: of the output, for the message; None where nobody knows. ValueError for more entries, or none.

    >>> only("loss", {"digits": ["mse"]}, None)
    'mse'
    """
    while isinstance(value, (list, tuple)) or _is_by_name(value):
        if len(value) != 1:
            raise _refusal(argument, value, name)
        value = next(iter(value.values() if isinstance(value, dict) else value))
    return value


def all_of(argument, value, name):
    """One flat list of everything in nested lists, and in a dictionary of one output's name; [] for None.

    >>> all_of("metrics", {"digits": ["accuracy", "mse"]}, None), all_of("metrics", [["accuracy"]], None)
    (['accuracy', 'mse'], ['accuracy'])
    """
    if value is None:
        return []
    if _is_by_name(value):
        if len(value) > 1:
            raise _refusal(argument, value, name)
        value = list(value.values())
    if not isinstance(value, (list, tuple)):
        return [value]
    return [item for part in value for item in all_of(argument, part, name)]


def _is_by_name(value):
    return isinstance(value, dict) and not registry.is_configuration(value)


def _refusal(argument, value, name):
    called = "" if name is None else f", {name!r}"
    got = ", ".join(map(repr, value)) if isinstance(value, dict) else repr(value)
    return ValueError(f"compile: {argument} must be for the model's one output{called}; got {got or 'nothing'}")


class Compiled:
    """What `compile` was given and made of it, but for the optimizer and the loss."""

    def __init__(self, given, metrics=(), loss_tracker=None):
        self.given = given
        self.metrics = metrics                     # (metric, whether it uses the sample weights)
        self.loss_tracker = loss_tracker           # the mean loss of the epoch
