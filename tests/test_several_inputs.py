"""Models of one's own that take several inputs: a tuple, a dictionary or a list of arrays, everywhere data is taken."""
import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, ops

RNG = np.random.default_rng(0)
WIDE, DEEP = RNG.random((90, 4), dtype="f4"), RNG.random((90, 3))
Y = (WIDE[:, 0] + DEEP[:, 0] > 1).astype(int)


@ct.saving.register_serializable()
class TwoInputs(ct.Model):
    """Takes (wide, deep) in a tuple or list, or under these names."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.head = layers.Dense(8, "relu"), layers.Dense(2, "softmax")

    def call(self, x):
        wide, deep = (x["wide"], x["deep"]) if isinstance(x, dict) else x
        return self.head(ops.concat([wide, self.hidden(deep)], axis=1))


def compiled():
    ct.set_seed(0)
    model = TwoInputs()
    model((WIDE[:1], DEEP[:1]))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


FORMS = {"tuple": lambda wide, deep: (wide, deep), "list": lambda wide, deep: [wide, deep],
         "dict": lambda wide, deep: {"wide": wide, "deep": deep},
         "tensors": lambda wide, deep: (ct.asarray(wide), ct.asarray(deep))}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_trains_evaluates_and_predicts_alike(form):
    x = FORMS[form](WIDE, DEEP)
    model = compiled()
    logs = model.fit(x, Y, batch_size=32, epochs=2, validation_split=0.2, verbose=0).history
    other = compiled()
    expected = other.fit((WIDE[:72], DEEP[:72]), Y[:72], batch_size=32, epochs=2, verbose=0,
                         validation_data=((WIDE[72:], DEEP[72:]), Y[72:])).history
    assert logs == expected and len(logs["val_accuracy"]) == 2
    assert model.evaluate(x, Y, verbose=0) == other.evaluate((WIDE, DEEP), Y, verbose=0)
    whole = model.predict(x, verbose=0)
    assert whole.shape == (90, 2)
    assert np.allclose(model.predict_on_batch(x), whole, atol=1e-6)
    assert np.allclose(model.predict(FORMS[form](WIDE[:3], DEEP[:3]), verbose=0), whole[:3], atol=1e-6)
    assert model.train_on_batch(x, Y)[0] == pytest.approx(model.test_on_batch(x, Y)[0], rel=0.1)


def test_generators_of_several_inputs():
    def batches():
        for start in range(0, 90, 30):
            rows = slice(start, start + 30)
            yield (WIDE[rows], DEEP[rows]), Y[rows]

    def named():
        for (wide, deep), y in batches():
            yield {"wide": wide, "deep": deep}, y

    a, b, c = compiled(), compiled(), compiled()
    losses = [a.fit(batches(), verbose=0), b.fit(named(), verbose=0),
              c.fit((WIDE, DEEP), Y, batch_size=30, shuffle=False, verbose=0)]
    assert len({loss.history["loss"][0] for loss in losses}) == 1
    assert np.array_equal(a.predict((({"wide": w, "deep": d},) for (w, d), _ in batches()), verbose=0),
                          b.predict((WIDE, DEEP), batch_size=30, verbose=0))


def test_files_of_such_a_model(tmp_path):
    for form in ("list", "dict"):
        model = compiled()
        x = FORMS[form](WIDE, DEEP)
        model.fit(x, Y, verbose=0)
        model.save(tmp_path / "two.safetensors")
        loaded = ct.models.load_model(tmp_path / "two.safetensors")
        assert np.array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_several_outputs_of_predict():
    class Both(ct.Model):
        def call(self, x):
            return {"sum": ops.sum(x, axis=1), "twice": x * 2.0}

    for length in (5, 90):
        outputs = Both().predict(WIDE[:length], verbose=0)
        assert np.allclose(outputs["sum"], WIDE[:length].sum(axis=1)) and outputs["twice"].shape == (length, 4)


@pytest.mark.parametrize(("x", "message"), [
    ((WIDE, DEEP[:80]), r"fit: all data must have the same number of samples; got x\[0\] 90, x\[1\] 80, y 90"),
    ({"wide": WIDE, "deep": DEEP[:80]}, r"got x\['deep'\] 80, x\['wide'\] 90, y 90"),
    ((WIDE, "deep"), r"fit: x\[1\] must"),
    ((WIDE, 3.0), r"fit: x\[1\] must have a first axis of samples; got a scalar"),
])
def test_wrong_inputs(x, message):
    with pytest.raises((TypeError, ValueError), match=message):
        compiled().fit(x, Y, verbose=0)
    with pytest.raises((TypeError, ValueError), match=message):
        compiled().fit(x, Y, validation_split=0.1, verbose=0)


def test_a_sequential_whose_first_layer_takes_several_inputs():
    model = ct.Sequential([layers.Concatenate(), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    joined = np.concatenate([WIDE, DEEP], axis=1)
    for x in ([WIDE, DEEP], (WIDE, DEEP)):
        model.fit(x, Y, verbose=0)
        plain = ct.Sequential([layers.Dense(2, "softmax")])
        plain.build((None, 7))
        plain.set_weights(model.get_weights())
        plain.compile("sgd", "sparse_categorical_crossentropy")
        assert np.array_equal(model.predict(x, verbose=0), plain.predict(joined, verbose=0))
        assert model.evaluate(x, Y, verbose=0) == plain.evaluate(joined, Y, verbose=0)
