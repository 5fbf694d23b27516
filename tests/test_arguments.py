"""Every constructor and training method given wrong values for each argument: a named error, or a use for it."""
import importlib
import inspect
import re

import numpy as np
import pytest
from small_models import classifier, data

from cytensor import layers, metrics, optimizers, regularizers
from cytensor.callbacks import EarlyStopping
from cytensor.checks import arguments
from cytensor.models import Sequential
from cytensor.training import Trainer

AREAS = ("layers", "optimizers", "optimizers.schedules", "losses", "metrics", "callbacks", "initializers",
         "regularizers", "constraints")
NEEDED = {                           # arguments without a default
    "Activation": ("relu",), "BackupAndRestore": ("backup",), "CSVLogger": ("log.csv",), "CategoryEncoding": (3,),
    "CosineDecay": (0.1, 10), "CosineDecayRestarts": (0.1, 10), "Dense": (3,), "Discretization": ([0.0, 1.0],),
    "Dropout": (0.5,), "Embedding": (5, 3),
    "ExponentialDecay": (0.1, 10, 0.5), "GaussianDropout": (0.5,), "GaussianNoise": (0.5,), "InputLayer": ((3,),),
    "InverseTimeDecay": (0.1, 10, 0.5), "LearningRateScheduler": (lambda epoch: 0.1,), "MeanMetricWrapper": (max,),
    "ModelCheckpoint": ("m.safetensors",), "Permute": ((1,),), "PiecewiseConstantDecay": ([1], [0.1, 0.2]),
    "IoU": (3, [0]), "MeanIoU": (3,), "OneHotIoU": (3, [0]), "OneHotMeanIoU": (3,),
    "PolynomialDecay": (0.1, 10), "RepeatVector": (2,), "Rescaling": (2.0,), "Reshape": ((2,),),
}
X, Y = data(8)
METHODS = {                          # and what each is called with
    "compile": {}, "fit": {"x": X, "y": Y, "verbose": 0}, "evaluate": {"x": X, "y": Y, "verbose": 0},
    "predict": {"x": X, "verbose": 0}, "train_on_batch": {"x": X, "y": Y}, "test_on_batch": {"x": X, "y": Y},
    "predict_on_batch": {"x": X},
}
WRONG = (None, "nonsense", -1, 0, 1.5, float("nan"), [], {}, object(), (3, "a"), True, [None])


def constructors():
    for area in AREAS:
        module = importlib.import_module(f"cytensor.{area}")
        for name, cls in sorted(vars(module).items()):
            if inspect.isclass(cls) and not name.startswith("_") and cls.__module__.startswith(module.__name__):
                yield name, cls


def test_wrong_values_are_refused_by_name_or_have_a_use(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = 0
    for name, cls in constructors():
        parameters = [p for p in list(inspect.signature(cls.__init__).parameters.values())[1:]
                      if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        needed = dict(zip((p.name for p in parameters), NEEDED.get(name, ()), strict=False))
        if any(p.default is p.empty and p.name not in needed for p in parameters) or name == "TensorBoard":
            continue                                     # an abstract class; a package that may be missing
        cls(**needed)
        for parameter in parameters:
            for value in WRONG:
                try:
                    cls(**{**needed, parameter.name: value})
                except (TypeError, ValueError) as error:
                    refused += 1
                    check_words(error, (name, parameter.name, value))
    assert refused > 1500


def check_words(error, context):
    text = str(error)
    assert re.match(r"^\w+(, validation_data)?: ", text), (context, text)
    assert re.search(r"; got |unknown name|expected a |must be given", text), (context, text)


def test_methods_refuse_wrong_values_by_name_or_have_a_use(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused, accepted = 0, set()
    for method, given in METHODS.items():
        for parameter in list(inspect.signature(getattr(Trainer, method)).parameters)[1:]:
            for value in WRONG:
                model = classifier()
                try:
                    getattr(model, method)(**{**given, parameter: value})
                    accepted.add(f"{method}.{parameter}={value!r}")
                except (TypeError, ValueError) as error:
                    refused += 1
                    check_words(error, (method, parameter, value))
    assert refused > 500
    # a path, a name, or a number that is asked for
    nothing = r"=(None|0|True|\[\])$|metrics=\{\}$|(callbacks|loss)=\[None\]|loss_weights=(1.5|-1)$"
    assert {one for one in accepted if not re.search(nothing, one)} == {"fit.resume='nonsense'", *(
        f"{method}.sample_weight={value}" for method in ("fit", "evaluate", "train_on_batch", "test_on_batch")
        for value in (-1, 1.5))}


def test_rules_of_methods_allow_their_defaults():
    for method in METHODS:
        for parameter in list(inspect.signature(getattr(Trainer, method)).parameters.values())[1:]:
            if parameter.default is not None and parameter.default is not parameter.empty:
                arguments.check_value(method, parameter.name, parameter.default)


def test_nothing_in_the_table_takes_just_any_object():
    for name, cls in constructors():
        for parameter in list(inspect.signature(cls.__init__).parameters)[1:]:
            rule = arguments.RULES.get(f"{name}.{parameter}") or arguments.RULES.get(parameter)
            assert rule is None or not rule.holds(object()), (name, parameter)
    assert not [name for name, rule in arguments.RULES.items() if rule.holds(object())]


@pytest.mark.parametrize(("make", "kind", "message"), [
    (lambda: layers.Dense("10"), TypeError, "Dense: units must be an integer of at least 1; got '10'"),
    (lambda: layers.Dense(3, use_bias="no"), TypeError, "Dense: use_bias must be True or False; got 'no'"),
    (lambda: layers.Dense(3, dtype="float31"), TypeError,
     "Dense: dtype must be a dtype of numbers, such as 'float32'; got 'float31'"),
    (lambda: layers.Dropout(1.5), ValueError, "Dropout: rate must be between 0 and 1; got 1.5"),
    (lambda: layers.BatchNormalization(axis="last"), TypeError,
     "BatchNormalization: axis must be an integer or several in a tuple; got 'last'"),
    (lambda: layers.BatchNormalization(momentum=99), ValueError,
     "BatchNormalization: momentum must be between 0 and 1; got 99"),
    (lambda: optimizers.schedules.ExponentialDecay(0.1, 10, 0.5, stairs=True), TypeError,
     "ExponentialDecay: unknown argument 'stairs'; known are decay_rate, decay_steps, initial_learning_rate, name, "
     "staircase; did you mean 'staircase'?"),
    (lambda: layers.Dropout(0.5, rat=1), TypeError, "Dropout: unknown argument 'rat'; known are "
     "activity_regularizer, dtype, input_dim, input_shape, name, noise_shape, rate, seed, trainable; "
     "did you mean 'rate'?"),
    (lambda: regularizers.L2(l1=1), TypeError, "L2: unknown argument 'l1'; known are l2; did you mean 'l2'?"),
    (lambda: Sequential(layers.Dense(1), layers.Dense(1)), TypeError,
     "Sequential: layers must be a list; write Sequential([layer, ...]); got <Dense name=dense, built=False>"),
    (lambda: optimizers.Adam(learning_rate="fast"), TypeError,
     "Adam: learning_rate must be a number, a schedule or a function; got 'fast'"),
    (lambda: optimizers.Adam(epsilon=-1), ValueError, "Adam: epsilon must be a number that is not negative; got -1"),
    (lambda: optimizers.SGD(clipnorm="1"), TypeError, "SGD: clipnorm must be a finite number; got '1'"),
    (lambda: EarlyStopping(patience=-1), ValueError,
     "EarlyStopping: patience must be an integer of at least 0; got -1"),
    (lambda: layers.Dense(3, kernel_initializer=-3), TypeError,
     "Dense: kernel_initializer must be a name, an Initializer or a function; got -3"),
    (lambda: layers.Embedding(3, 2, embeddings_regularizer=0.1), TypeError,
     "Embedding: embeddings_regularizer must be a name, a Regularizer or a function; got 0.1"),
    (lambda: layers.BatchNormalization(beta_constraint=1), TypeError,
     "BatchNormalization: beta_constraint must be a name, a Constraint or a function; got 1"),
    (lambda: layers.Dense(3, activation=-3), TypeError, "Dense: activation must be a name or a function; got -3"),
    (lambda: layers.Dense(3, input_shape="x"), TypeError,
     "Dense: input_shape must be a sequence of ints; got 'x'"),
])
def test_messages(make, kind, message):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == message


def test_former_names_of_arguments_lead_to_the_present_ones():
    with pytest.raises(TypeError, match=r"^SGD: unknown argument 'lr'; known are clipnorm, .*; "
                                        r"did you mean 'learning_rate'\?$"):
        optimizers.SGD(lr=0.1)


def test_numpy_numbers_and_classes_of_ones_own():
    assert layers.Dense(np.int64(3), use_bias=np.True_).units == 3
    assert layers.Dropout(np.float32(0.5)).rate == 0.5

    class Scale(layers.Layer):
        def __init__(self, units, rate="any"):           # names that mean something else here
            super().__init__(name=f"scale_{units}")
            self.rate = rate

    assert Scale("wide", rate="high").rate == "high"

    class Own(metrics.Mean):
        def __init__(self, best, **kwargs):
            super().__init__(**kwargs)
            self.best = best

    assert Own(best=3, name="own").name == "own"
    with pytest.raises(TypeError, match="'nam'"):
        Own(best=3, nam="own")
