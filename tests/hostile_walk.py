"""Every callable of every compiled module with what it does not expect: `python tests/hostile_walk.py [module]`.

Whatever a module has is found by looking, so that a new function is called without being listed here. Each is called
with each of `hostile()` in every position beside arguments that fit, and all by themselves. An exception is as good as
a result; a crash, a hang or a SystemError, by which CPython names a broken contract of C code, is not. Prints the name
of each callable before the calls, so that the last line names the one that failed, and at the end how many there were.
"""
import contextlib
import faulthandler
import importlib
import inspect
import io
import itertools
import os
import signal
import sys

import numpy as np

import cyops
import cytensor as ct

# Names whose calls would change the process for all that come after; each is called by tests of its own.
LEFT_OUT = {"set_matmul", "set_get_array_item", "set_tensor_class", "set_cache_limit", "fill_domains", "defer"}
MODULES = ("storage", "strided", "config", "threads", "derived", "elementwise", "creation", "reshaping", "views",
           "contract", "convolution", "einstein", "normalization", "padding", "pooling", "resizing", "reduce", "rows",
           "gather", "update", "backward")
SECONDS = 60                                # for all calls of one callable


class Index:
    """An integer only by its `__index__`, another one each time."""
    values = itertools.cycle([0, 2**62, -3, 1])

    def __index__(self):
        return next(self.values)


class Lying(int):
    """An int that says what a check wants to hear."""
    def __index__(self):
        return self

    def __mul__(self, other):
        return 0

    def __lt__(self, other):
        return True

    def __gt__(self, other):
        return False

    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = __mul__
    __ge__, __le__, __hash__ = __gt__, __lt__, int.__hash__

    def __eq__(self, other):
        return True


class ShortList(list):
    def __len__(self):
        return 1


class LongTuple(tuple):
    __slots__ = ()

    def __len__(self):
        return 40


class Clearing:
    """A number that empties the lists of the call while it is read."""
    lists: tuple = ()

    def __float__(self):
        for one in self.lists:
            one.clear()
        return 1.0

    def __index__(self):
        self.__float__()
        return 1


def holding_itself():
    inner = []
    inner += [inner, inner]
    return inner


def blanks():
    """An object of every compiled class that only `__new__` has seen."""
    found = []
    for name in MODULES:
        for cls in vars(importlib.import_module(f"cyops.{name}")).values():
            if isinstance(cls, type):
                with contextlib.suppress(Exception):
                    found.append(cls.__new__(cls))
    return [*found, ct.Tensor.__new__(ct.Tensor), cyops.Strided.__new__(ct.Variable)]


def hostile():
    x = ct.ones((3, 4))
    tensors = [x, x]
    Clearing.lists = (tensors,)
    numbers = [Index(), Lying(2**62), Lying(-2**62), Clearing(), 2**70, -1, 1.5]
    sequences = [[None], (None,), [x], (x, None), tensors, ShortList([1] * 40), LongTuple([1]), holding_itself(),
                 [Clearing()], {}, {"a": 1}, set()]
    others = ["a", b"", "sum", "float16", object(), int, ct.Tensor, np.zeros(0), np.zeros(3, complex), x,
              lambda *args: None]
    return [None, *blanks(), *numbers, *sequences, *others]


FITTING = (lambda: ct.ones((3, 4)), lambda: [ct.ones((3, 4)), ct.ones((3, 4))], lambda: 1, lambda: (3, 4),
           lambda: [cyops.Record.__new__(cyops.Record)])


def callables(module):
    """Each callable by a name: functions, classes, and what the classes and their blank instances have."""
    for name, value in sorted(vars(module).items()):
        if name in LEFT_OUT or inspect.ismodule(value) or not callable(value):
            continue
        if getattr(value, "__module__", None) not in (module.__name__, "cyops"):
            continue
        yield name, value
        if isinstance(value, type):
            for attribute in dir(value):
                member = inspect.getattr_static(value, attribute)
                if member is inspect.getattr_static(object, attribute, None):
                    continue
                get = getattr(member, "__get__", None)
                if callable(member):
                    yield f"{name}.{attribute}", getattr(value, attribute)
                elif get is not None:
                    yield f"{name}.{attribute}", get


def count_parameters(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 4, []
    names = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return min(len(positional) + 1, 7), names


def attempts(function):
    """The arguments of each call: (positional, named)."""
    count, names = count_parameters(function)
    for length in range(count + 1):
        for bad in hostile():
            yield (bad,) * length, {}
        for place in range(length):
            for fit in FITTING:
                for bad in hostile():
                    yield tuple(bad if i == place else fit() for i in range(length)), {}
    for name in names:
        for fit in FITTING:
            for bad in hostile():
                for length in (1, 2, 3):
                    yield tuple(fit() for _ in range(length)), {name: bad}


def call(function, args, named):
    try:
        result = function(*args, **named)
        if isinstance(result, cyops.Strided) and result.size < 1000:
            result.tolist()                 # every element must be there to be read
    except SystemError:
        raise
    except Exception:
        return 0
    return 1


def start():
    """Bounds the memory and prints the calls under way if one crashes."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    faulthandler.enable()
    signal.signal(signal.SIGALRM, lambda *_: faulthandler.dump_traceback() or os._exit(3))


def main(modules):
    start()
    calls = 0
    for name in modules:
        module = importlib.import_module(f"cyops.{name}")
        for label, function in callables(module):
            print(f"{name}.{label}", flush=True)
            signal.alarm(SECONDS)
            with contextlib.redirect_stdout(io.StringIO()):
                for args, named in attempts(function):
                    call(function, args, named)
                    calls += 1
    signal.alarm(0)
    print(calls, "calls")


if __name__ == "__main__":
    main(sys.argv[1:] or MODULES)
