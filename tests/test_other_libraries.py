"""Tensors in SciPy, scikit-learn, array-api-compat, array-api-extra, einops, pandas and Matplotlib.

What is written here is evaluated with x a tensor and with x a NumPy array: results must agree, and be tensors where the
library follows the array API. Each library is left out where it is not installed. docs/interoperability.md has the
table of versions.
"""
import importlib
import subprocess
import sys

import numpy as np
import pytest

import cytensor as ct

VALUES = np.random.default_rng(0).normal(size=(20, 3))
# An expression a line; x is (20, 3), v its first column, p positive and below 1, y labels 0 and 1.
SCIPY = """
stats.skew(x)
stats.kurtosis(x)
stats.zscore(x)
stats.gmean(p)
stats.hmean(p)
stats.variation(p)
stats.moment(x, 3)
stats.describe(x).variance
stats.sem(x)
stats.entropy(p)
stats.skewtest(x).pvalue
stats.jarque_bera(v).statistic
stats.ttest_1samp(x, 0.0).pvalue
stats.ttest_ind(x, x + 1).statistic
stats.pearsonr(v, x[:, 1]).statistic
stats.mannwhitneyu(v, x[:, 1]).pvalue
stats.spearmanr(v, x[:, 1]).statistic
stats.directional_stats(x).mean_direction
special.erf(v)
special.expit(v)
special.logit(p)
special.ndtr(v)
special.gammaln(p)
special.xlogy(p, p)
special.logsumexp(x, axis=1)
special.softmax(x, axis=1)
fft.fft(x)
fft.rfft(v)
fft.dct(x)
fft.fft2(x)
signal.fftconvolve(v, v)
signal.hilbert(v)
signal.detrend(v)
signal.savgol_filter(v, 5, 2)
signal.lfilter(v[:2], p[:1, 0], v)
ndimage.gaussian_filter(x, 1.0)
ndimage.zoom(x, 2)
integrate.trapezoid(v)
integrate.cumulative_trapezoid(v)
cluster.vq.whiten(x)
spatial.distance.pdist(x)
"""
# These give NumPy's arrays for whatever they are given.
SCIPY_AS_ARRAYS = """
linalg.inv(x.T @ x)
linalg.cholesky(x.T @ x)
linalg.svdvals(x)
spatial.distance.cdist(x, x)
sparse.csr_matrix(x).toarray()
stats.norm.pdf(v)
optimize.minimize(lambda t: float(((t - 1) ** 2).sum()), x[0]).x.round(3)
"""
SKLEARN = """
PCA(2, svd_solver="full").fit(x).explained_variance_
LinearDiscriminantAnalysis().fit(x, y).predict(x)
Ridge(solver="svd").fit(x, v).coef_
StandardScaler().fit_transform(x)
MinMaxScaler().fit_transform(x)
MaxAbsScaler().fit_transform(x)
Normalizer().fit_transform(x)
LabelEncoder().fit_transform(y)
euclidean_distances(x, x)
rbf_kernel(x, x)
cosine_similarity(x, x)
make_pipeline(StandardScaler(), Ridge(solver="svd")).fit(x, v).predict(x)
train_test_split(x, random_state=0)[0]
"""
SKLEARN_AS_NUMBERS = """
accuracy_score(y, y)
f1_score(y, y)
r2_score(v, x[:, 1])
mean_squared_error(v, x[:, 1])
LogisticRegression().fit(x, y).score(x, y)
RandomForestClassifier(5, random_state=0).fit(x, y).predict(x).sum()
"""
PROGRAM = """
import warnings
warnings.simplefilter("ignore")
import numpy as np, cytensor as ct
{imports}
values = np.random.default_rng(0).normal(size=(20, 3))
def given(make):
    x = make(values)
    return dict(x=x, v=x[:, 0], p=make(1 / (1 + np.exp(-values))), y=make((values[:, 0] > 0).astype("int64")))
wrong = []
for expression in {expressions!r}.strip().splitlines():
    expected = np.asarray(eval(expression, dict(globals(), **given(np.asarray))))
    try:
        got = eval(expression, dict(globals(), **given(ct.asarray)))
    except Exception as error:
        wrong.append(f"{{expression}}: {{type(error).__name__}}: {{error}}")
        continue
    if {is_tensor} and type(got) is not ct.Tensor:
        wrong.append(f"{{expression}}: gives {{type(got).__name__}}")
    elif not np.allclose(np.asarray(got), expected, rtol=1e-6, atol=1e-9, equal_nan=True):
        wrong.append(f"{{expression}}: {{got}} in place of {{expected}}")
print("\\n".join(wrong), end="")
"""
IMPORTS = {
    "scipy": "from scipy import cluster, fft, integrate, linalg, ndimage, optimize, signal, sparse, spatial, special\n"
             "from scipy import stats\nimport scipy.cluster.vq, scipy.spatial.distance",
    "sklearn": "import sklearn\nsklearn.set_config(array_api_dispatch=True)\n"
               "from sklearn.decomposition import PCA\n"
               "from sklearn.discriminant_analysis import LinearDiscriminantAnalysis\n"
               "from sklearn.ensemble import RandomForestClassifier\n"
               "from sklearn.linear_model import LogisticRegression, Ridge\nfrom sklearn.metrics import *\n"
               "from sklearn.metrics.pairwise import *\nfrom sklearn.model_selection import train_test_split\n"
               "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import *",
    "sklearn without dispatch": "from sklearn.linear_model import *\nfrom sklearn.metrics import *\n"
                                "from sklearn.ensemble import RandomForestClassifier",
}


@pytest.mark.slow
@pytest.mark.parametrize(("library", "expressions", "is_tensor"), [
    ("scipy", SCIPY, True), ("scipy", SCIPY_AS_ARRAYS, False), ("sklearn", SKLEARN, True),
    ("sklearn", "\n".join(SKLEARN_AS_NUMBERS.strip().splitlines()[:5]), False),
    ("sklearn without dispatch", SKLEARN_AS_NUMBERS, False),
])
def test_a_library_gives_for_tensors_what_it_gives_for_arrays(library, expressions, is_tensor):
    pytest.importorskip(library.split()[0])
    import os
    program = PROGRAM.format(imports=IMPORTS[library], expressions=expressions, is_tensor=is_tensor)
    run = subprocess.run([sys.executable, "-c", program], env={**os.environ, "SCIPY_ARRAY_API": "1"}, text=True,
                         capture_output=True, timeout=300)
    assert (run.stdout, run.returncode) == ("", 0), run.stderr[-2000:]


# -- array-api-compat and array-api-extra -----------------------------------------------------------------------------
def test_array_api_compat_knows_a_tensor():
    compat = pytest.importorskip("array_api_compat")
    x = ct.asarray(VALUES)
    assert compat.array_namespace(x, ct.ones(2)) is ct
    assert compat.is_array_api_obj(x) and compat.is_writeable_array(x) and not compat.is_lazy_array(x)
    assert compat.device(x) == "cpu" and compat.to_device(x, "cpu") is x and compat.size(x) == 60


@pytest.mark.parametrize(("call", "expected"), [
    (lambda xpx, x: xpx.atleast_nd(x[0, 0], ndim=2), lambda x: x[:1, :1]),
    (lambda xpx, x: xpx.cov(x.T), lambda x: np.cov(x.T)),
    (lambda xpx, x: xpx.create_diagonal(x[:, 0]), lambda x: np.diag(x[:, 0])),
    (lambda xpx, x: xpx.kron(x, x), lambda x: np.kron(x, x)),
    (lambda xpx, x: xpx.pad(x, 1), lambda x: np.pad(x, 1)),
    (lambda xpx, x: xpx.sinc(x), np.sinc),
    (lambda xpx, x: xpx.at(x)[0].set(5.0), lambda x: np.concatenate([np.full((1, 3), 5.0), x[1:]])),
    (lambda xpx, x: xpx.at(x)[x > 0].add(5.0), lambda x: np.where(x > 0, x + 5, x)),
    (lambda xpx, x: xpx.apply_where(x > 0, x, ct.sqrt, fill_value=0.0), lambda x: np.sqrt(np.maximum(x, 0))),
    (lambda xpx, x: xpx.setdiff1d(x[:, 0], x[:1, 0]), lambda x: np.setdiff1d(x[:, 0], x[:1, 0])),
])
def test_array_api_extra(call, expected):
    xpx = pytest.importorskip("array_api_extra")
    got = call(xpx, ct.asarray(VALUES.copy()))
    assert type(got) is ct.Tensor and np.allclose(got, expected(VALUES))


# -- einops -----------------------------------------------------------------------------------------------------------
Z = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(("call", "expected"), [
    (lambda e, z: e.rearrange(z, "a b c -> (a c) b"), lambda z: z.transpose(0, 2, 1).reshape(8, 3)),
    (lambda e, z: e.reduce(z, "a b c -> a c", "mean"), lambda z: z.mean(axis=1)),
    (lambda e, z: e.reduce(z, "a b (c d) -> a b d", "max", d=2), lambda z: z.reshape(2, 3, 2, 2).max(axis=2)),
    (lambda e, z: e.repeat(z, "a b c -> a b c d", d=2), lambda z: np.stack([z, z], axis=-1)),
    (lambda e, z: e.einsum(z, z, "a b c, a b d -> a c d"), lambda z: np.einsum("abc,abd->acd", z, z)),
    (lambda e, z: e.pack([z, z], "* b c")[0], lambda z: np.concatenate([z, z])),
    (lambda e, z: e.rearrange([z, z], "k a b c -> a k b c"), lambda z: np.stack([z, z], axis=1)),
])
def test_einops_gives_tensors_and_keeps_the_gradient(call, expected):
    einops = pytest.importorskip("einops")
    z = ct.asarray(Z)
    with ct.GradientTape() as tape:
        tape.watch(z)
        got = call(einops, z)
    assert type(got) is ct.Tensor and np.array_equal(got, expected(Z))
    assert tape.gradient(got, z).shape == Z.shape


@pytest.mark.parametrize("program", [
    "import cytensor as ct, einops", "import einops, cytensor as ct",
    "import cytensor as ct, sys; assert 'einops' not in sys.modules; from einops import rearrange; import einops",
])
def test_einops_knows_tensors_whichever_is_imported_first(program):
    pytest.importorskip("einops")
    check = f"{program}\nassert type(einops.rearrange(ct.ones((2, 3)), 'a b -> b a')) is ct.Tensor"
    subprocess.run([sys.executable, "-c", check], check=True, timeout=120)


# -- pandas and Matplotlib --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("call", "expected"), [
    (lambda pd, x: pd.DataFrame(x, columns=list("abc")), lambda x: x),
    (lambda pd, x: pd.Series(x[:, 0]), lambda x: x[:, 0]),
    (lambda pd, x: pd.DataFrame({"a": x[:, 0], "b": x[:, 1]}), lambda x: x[:, :2]),
    (lambda pd, x: pd.DataFrame({"a": [1.0] * 20}).assign(b=x[:, 0])["b"], lambda x: x[:, 0]),
    (lambda pd, x: pd.Series(x[:, 0]) + x[:, 0], lambda x: 2 * x[:, 0]),
    (lambda pd, x: ct.asarray(pd.DataFrame({"a": np.asarray(x[:, 0])})), lambda x: x[:, :1]),
    (lambda pd, x: ct.asarray(pd.Series(np.asarray(x[:, 0]))), lambda x: x[:, 0]),
])
def test_pandas_takes_tensors_and_gives_them(call, expected):
    pd = pytest.importorskip("pandas")
    assert np.array_equal(np.asarray(call(pd, ct.asarray(VALUES))), expected(VALUES))


def test_a_column_of_objects_is_refused_by_name():
    pd = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match="dtype object is not supported"):
        ct.asarray(pd.DataFrame({"a": ["text", None]}))


@pytest.mark.slow
@pytest.mark.parametrize("call", [
    lambda ax, x: ax.plot(x[:, 0], x[:, 1]), lambda ax, x: ax.plot(x), lambda ax, x: ax.imshow(x),
    lambda ax, x: ax.scatter(x[:, 0], x[:, 1], c=x[:, 2], s=ct.abs(x[:, 2])), lambda ax, x: ax.hist(x[:, 0]),
    lambda ax, x: ax.bar(ct.arange(3), x[0]), lambda ax, x: ax.contourf(x), lambda ax, x: ax.boxplot(x),
    lambda ax, x: ax.errorbar(x[:, 0], x[:, 1], yerr=ct.abs(x[:, 2])), lambda ax, x: ax.quiver(*x.T[:2], *x.T[:2]),
    lambda ax, x: ax.fill_between(ct.arange(20), x[:, 0], x[:, 1]), lambda ax, x: ax.pcolormesh(x),
    lambda ax, x: ax.axhline(x[0, 0]), lambda ax, x: ax.set_xlim(x.min(), x.max()), lambda ax, x: ax.hexbin(*x.T[:2]),
    lambda ax, x: ax.plot(ct.Variable([1.0, 2.0])), lambda ax, x: ax.violinplot(x), lambda ax, x: ax.pie(ct.abs(x[0])),
])
def test_matplotlib_draws_tensors(call):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    importlib.import_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    call(figure.subplots(), ct.asarray(VALUES))
    figure.canvas.draw()


@pytest.mark.parametrize(("call", "expected"), [
    (lambda x: x.ravel(), lambda x: x.ravel()), (lambda x: x.T.ravel(), lambda x: x.T.ravel()),
    (lambda x: x.flatten(), lambda x: x.flatten()), (lambda x: x.swapaxes(0, -1), lambda x: x.swapaxes(0, -1)),
    (lambda x: x.conj(), lambda x: x), (lambda x: x.real, lambda x: x), (lambda x: x.imag, lambda x: x * 0),
    (lambda x: x.cumsum(axis=1), lambda x: x.cumsum(axis=1)), (lambda x: x.cumprod(0), lambda x: x.cumprod(0)),
    (lambda x: x.argsort(), lambda x: x.argsort()), (lambda x: x.repeat(2, axis=0), lambda x: x.repeat(2, axis=0)),
    (lambda x: x.nonzero()[0], lambda x: x.nonzero()[0]),
    (lambda x: x[:, 0].cumsum().searchsorted(0.5), lambda x: x[:, 0].cumsum().searchsorted(0.5)),
])
def test_numpys_methods_of_arrays(call, expected):
    got = call(ct.asarray(VALUES))
    assert type(got) is ct.Tensor and np.allclose(got, expected(VALUES))


def test_ravel_views_where_it_can_and_flatten_copies():
    x = ct.asarray(VALUES.copy())
    assert ct.shares_memory(x.ravel(), x) and not ct.shares_memory(x.flatten(), x)
    assert not ct.shares_memory(x.T.ravel(), x) and ct.shares_memory(x.swapaxes(0, 1), x)


def test_a_number_of_numpys_becomes_memory_that_can_be_written():
    x = ct.asarray(np.float64(3))
    x *= 2
    assert float(x) == 6 and x.dtype == ct.float64
    with pytest.raises(ValueError, match="asarray: a float64 has no memory to share"):
        ct.asarray(np.float64(3), copy=False)
