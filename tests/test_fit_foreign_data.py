"""Training on what others hold data in, frames of pandas and loaders of PyTorch: the weights are those of arrays."""
import numpy as np
import pytest
from small_models import classifier, data

import cytensor as ct
from cytensor import layers


def trained(*given, **options):
    model = classifier("sgd")
    model.fit(*given, epochs=2, verbose=0, shuffle=False, **options)
    return model


def same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_frames_and_series():
    pd = pytest.importorskip("pandas")
    x, y = data(60)
    # The index counts for nothing: rows are taken in their order.
    frame, series = pd.DataFrame(x, columns=list("abcd")), pd.Series(y, index=np.arange(60)[::-1])
    weights = np.linspace(0, 1, 60)
    plain = trained(x, y, sample_weight=weights)
    same_weights(plain, trained(frame, series, sample_weight=pd.Series(weights)))
    same_weights(plain, trained(frame.astype("float64"), series.to_frame(), sample_weight=weights))
    model = trained(frame, series, validation_split=0.2)
    assert model.evaluate(frame, series, verbose=0) == model.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(model.predict(frame, verbose=0), model.predict(x, verbose=0))
    model.fit(frame, series, validation_data=(frame, series), verbose=0)
    assert model.train_on_batch(frame.head(5), series.head(5))


def test_columns_as_named_inputs():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "rooms": [1, 2, 3, 4], "price": [2.0, 4.0, 6.0, 8.0]})
    inputs = {name: layers.Input((1,), name=name) for name in ("size", "rooms")}
    model = ct.Model(inputs, layers.Dense(1)(layers.Concatenate()(list(inputs.values()))))
    model.compile("sgd", "mse")
    model.fit(dict(frame[["size", "rooms"]]), frame["price"], verbose=0)
    assert model.predict(dict(frame[["size", "rooms"]]), verbose=0).shape == (4, 1)


def test_columns_that_are_no_numbers_are_named():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"size": [1.0, 2.0], "kind": ["x", "y"]})
    with pytest.raises(TypeError, match=r"fit: x must be numbers in one array; got DataFrame: .* 'kind' .*get_dummies"):
        classifier().fit(frame, [0, 1], verbose=0)
    with pytest.warns(RuntimeWarning, match="in the batch x is nan for sample 1"):
        classifier("sgd").fit(pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), [0, 1], verbose=0)


@pytest.mark.parametrize("workers", [0, 2])
def test_data_loaders(workers):
    torch = pytest.importorskip("torch")
    x, y = data(60)
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(pairs, batch_size=8, num_workers=workers)
    plain, model = trained(x, y, batch_size=8), trained(loader)
    same_weights(plain, model)
    assert model.evaluate(loader, verbose=0) == pytest.approx(plain.evaluate(x, y, batch_size=8, verbose=0), rel=1e-6)
    only = torch.utils.data.DataLoader(torch.from_numpy(x), batch_size=16)
    np.testing.assert_array_equal(model.predict(only, verbose=0), plain.predict(x, batch_size=16, verbose=0))
    model.fit(loader, validation_data=loader, epochs=1, verbose=0)
    history = model.fit(torch.utils.data.DataLoader(pairs, batch_size=8, shuffle=True, drop_last=True), verbose=0)
    assert history.params["steps"] == 7
