"""The estimators of cytensor.sklearn: scikit-learn's own checks, and its tools used on them."""
import os
import pickle

import numpy as np
import pytest

import cytensor as ct
from cytensor import layers, ops

pytest.importorskip("sklearn")
from joblib import Parallel, delayed, parallel_config
from sklearn.base import clone
from sklearn.datasets import load_iris, make_regression
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


def classifier(**arguments):
    return ct.sklearn.CyTensorClassifier(**{"hidden_layer_sizes": (16,), "learning_rate": 0.01, "epochs": 15,
                                            "random_state": 0, **arguments})


def regressor(**arguments):
    return ct.sklearn.CyTensorRegressor(**{"hidden_layer_sizes": (32,), "learning_rate": 0.01, "epochs": 30,
                                           "random_state": 0, **arguments})


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("estimator", [ct.sklearn.CyTensorClassifier(), ct.sklearn.CyTensorRegressor()], ids=repr)
@pytest.mark.slow
def test_scikit_learns_own_checks(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"} and len(results) > 50
    skipped = {str(result["exception"]) for result in results if result["status"] == "skipped"}
    assert all("pandas" in reason or "ARRAY_API" in reason for reason in skipped), skipped


def test_labels_of_any_type_and_what_a_fit_leaves_behind():
    model = classifier().fit(X, NAMES)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"] and model.score(X, NAMES) > 0.9
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (150, 3) and np.allclose(probabilities.sum(axis=1), 1)
    assert model.n_iter_ == len(model.loss_curve_) == 15 and model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    assert {weight.dtype.name for weight in model.model_.weights} == {"float64"}
    assert {weight.dtype.name for weight in classifier().fit(X.astype("f4"), Y).model_.weights} == {"float32"}
    assert {weight.dtype.name for weight in classifier(dtype="float32").fit(X, Y).model_.weights} == {"float32"}


@pytest.mark.slow
def test_grid_search_over_a_pipeline_and_voting():
    pipeline = make_pipeline(StandardScaler(), classifier(epochs=5))
    grid = {"cytensorclassifier__hidden_layer_sizes": [(), (8,)], "cytensorclassifier__optimizer": ["sgd", "adam"]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, NAMES)
    assert len(search.cv_results_["params"]) == 4 and search.best_score_ > 0.6
    voting = VotingClassifier([("net", classifier()), ("line", LogisticRegression())], voting="soft").fit(X, NAMES)
    assert voting.score(X, NAMES) > 0.9


def test_copies_and_pickles_predict_the_same():
    model = classifier().fit(X, Y)
    fresh = clone(model)
    assert not hasattr(fresh, "model_")
    for other in (pickle.loads(pickle.dumps(model)), fresh.fit(X, Y)):
        assert np.array_equal(other.predict_proba(X), model.predict_proba(X))
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def test_a_fit_depends_on_random_state_alone_and_moves_no_other_numbers():
    ct.set_seed(3)
    expected = ct.random.uniform((2,)).numpy()
    first = classifier().fit(X, Y).predict_proba(X)
    ct.set_seed(3)
    classifier(random_state=1).fit(X, Y)
    assert np.array_equal(ct.random.uniform((2,)).numpy(), expected)
    assert np.array_equal(classifier().fit(X, Y).predict_proba(X), first)
    assert not np.array_equal(classifier(random_state=1).fit(X, Y).predict_proba(X), first)


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.slow
def test_workers_give_the_same_scores(backend):
    expected = cross_val_score(classifier(epochs=3), X, Y, cv=4)
    with parallel_config(backend, n_jobs=2):
        assert np.array_equal(cross_val_score(classifier(epochs=3), X, Y, cv=4), expected)


@pytest.mark.parametrize("asked", [1, 3])
@pytest.mark.slow
def test_worker_processes_use_as_many_threads_as_joblib_says(asked, monkeypatch):
    monkeypatch.delenv("CYOPS_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    with parallel_config("loky", n_jobs=2, inner_max_num_threads=asked):
        assert Parallel()(delayed(ct.get_num_threads)() for _ in range(2)) == [asked, asked]


def test_sample_weights_and_class_weights():
    twice = np.concatenate([np.arange(150), np.arange(100, 150)])
    counted = np.where(np.arange(150) >= 100, 2.0, 1.0)
    whole = {"batch_size": 1000, "epochs": 20}
    repeated = classifier(**whole).fit(X[twice], Y[twice]).predict_proba(X)
    assert np.allclose(classifier(**whole).fit(X, Y, sample_weight=counted).predict_proba(X), repeated, rtol=1e-9)
    by_class = classifier(**whole, class_weight={0: 1, 1: 1, 2: 2})
    assert np.allclose(by_class.fit(X, Y).predict_proba(X), repeated, rtol=1e-9)
    part = slice(40, 150)                                        # 10, 50 and 50 of the classes
    balanced = classifier(class_weight="balanced").fit(X[part], Y[part], sample_weight=np.ones(110))
    assert balanced.score(X, Y) > 0.9
    with pytest.raises(ValueError, match="sample_weight: must not be negative, nor zero everywhere; got"):
        classifier().fit(X, Y, sample_weight=-counted)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_early_stopping_keeps_the_best_weights(make):
    model = make(early_stopping=True, epochs=500, n_iter_no_change=3, tol=0.01).fit(X, Y, np.ones(150))
    losses = model.history_["val_loss"]
    assert model.n_iter_ == len(losses) < 500 and min(losses) in losses[-4:]
    assert model.score(X, Y) > 0.8


@pytest.mark.parametrize("make", [classifier, regressor])
def test_partial_fit_and_warm_start_go_on(make):
    model = make(epochs=3, shuffle=False).fit(X, Y)
    steps = make(shuffle=False)
    for _ in range(3):
        steps.partial_fit(X, Y)
    assert np.array_equal(steps.predict(X), model.predict(X)) and steps.n_iter_ == 3
    assert steps.loss_curve_ == pytest.approx(model.loss_curve_)
    warm = make(epochs=2, warm_start=True).fit(X, Y).fit(X, Y)
    assert warm.n_iter_ == 4 and warm.loss_curve_[3] < warm.loss_curve_[0]


def test_partial_fit_of_classes_that_come_later():
    model = classifier().partial_fit(X[:60], NAMES[:60], classes=np.unique(NAMES))
    model.partial_fit(X, NAMES)
    assert model.predict_proba(X).shape == (150, 3)
    with pytest.raises(ValueError, match=r"classes must stay the same; got \['a'\]"):
        model.partial_fit(X, NAMES, classes=["a"])
    with pytest.raises(ValueError, match=r"y must hold the classes known from the start, .* got also \['rose'\]"):
        model.partial_fit(X[:2], ["setosa", "rose"])


def test_regression_on_one_target_and_on_several():
    data, targets = make_regression(200, 5, n_targets=3, random_state=0)
    targets /= targets.std(axis=0)
    model = regressor(epochs=60).fit(data, targets)
    assert model.predict(data).shape == (200, 3) and model.score(data, targets) > 0.95
    for shape in ((200,), (200, 1)):
        assert regressor(loss="huber").fit(data, targets[:, 0].reshape(shape)).predict(data).shape == shape


# -- models of the user's own -----------------------------------------------------------------------------------------
def make_net(X, y, width=8, **compiled):
    model = ct.Sequential([layers.Dense(width, "relu"), layers.Dropout(0.1), layers.Dense(3)])
    loss = ct.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(**{"optimizer": ct.optimizers.Adam(0.02), "loss": loss, "metrics": ["accuracy"], **compiled})
    return model


def test_a_function_that_makes_the_model():
    model = classifier(model=make_net, model_args={"width": 12}).fit(X, NAMES)
    assert model.model_.layers[0].units == 12 and model.score(X, NAMES) > 0.9
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1, atol=1e-6)         # a softmax of the logits
    assert set(model.history_) == {"loss", "accuracy"}
    search = GridSearchCV(model, {"model_args": [{"width": 2}, {"width": 6}]}, cv=2).fit(X, NAMES)
    assert search.best_estimator_.model_.layers[0].units in (2, 6)


def test_a_model_is_copied_and_never_changed():
    network = make_net(X, Y)
    first = classifier(model=network).fit(X, Y)
    assert not network.built and np.array_equal(first.predict(X), clone(first).fit(X, Y).predict(X))
    network(X[:1])
    before = network.get_weights()
    classifier(model=network).fit(X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


@pytest.mark.parametrize(("units", "activation", "loss"), [
    (1, "sigmoid", "binary_crossentropy"), (1, None, ct.losses.BinaryCrossentropy(from_logits=True)),
    (2, "softmax", "categorical_crossentropy"), (2, "softmax", "sparse_categorical_crossentropy"),
    (1, None, ct.losses.BinaryFocalCrossentropy(from_logits=True)), (2, "softmax", "mse"),
])
def test_targets_take_the_form_that_the_loss_wants(units, activation, loss):
    network = ct.Sequential([layers.Dense(8, "relu"), layers.Dense(units, activation)])
    network.compile(ct.optimizers.Adam(0.02), loss)
    y = np.where(Y == 0, "yes", "no")
    model = classifier(model=network, epochs=30).fit(X, y)
    assert model.score(X, y) == 1.0
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1) and model.predict_proba(X).min() >= 0


def test_a_regressor_with_a_subclassed_model():
    class Line(ct.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            return self.dense(ops.tanh(x))

    def make(X, y):
        model = Line()
        model.compile(ct.optimizers.Adam(0.05), "mse")
        return model

    assert regressor(model=make).fit(X, Y).score(X, Y) > 0.8


@pytest.mark.parametrize(("arguments", "kind", "message"), [
    ({"model": 3}, TypeError, "model must be a compiled Model or a function that returns one; got 3"),
    ({"model": ct.Sequential([layers.Dense(3)])}, TypeError, "model must be, or return, a Model that was compiled"),
    ({"model": lambda X, y: None}, TypeError, "a Model that was compiled; got None"),
    ({"optimizer": "addam"}, ValueError, "did you mean 'adam'"),
    ({"activation": "rellu"}, ValueError, "did you mean 'relu'"),
    ({"hidden_layer_sizes": (0,)}, ValueError, "units"),
    ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1; got 0"),
    ({"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1; got 0"),
    ({"learning_rate": -1}, ValueError, "learning_rate must be finite and not negative; got -1"),
    ({"callbacks": [3]}, TypeError, "each must be a Callback instance; got 3"),
])
def test_wrong_arguments(arguments, kind, message):
    with pytest.raises(kind, match=message):
        classifier(**arguments).fit(X, Y)


def test_one_class_is_too_few():
    with pytest.raises(ValueError, match="y must have at least two classes; got one class"):
        classifier().fit(X, np.zeros(150))
