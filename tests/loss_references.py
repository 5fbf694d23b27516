"""Every loss function written out in float64 NumPy, from its definition: values per sample of arrays (n, k)."""
import numpy as np

EPSILON = 1e-7


def softplus(x):
    return np.logaddexp(0.0, x)


def softmax(z):
    powers = np.exp(z - z.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def cut(p):
    return np.clip(p, EPSILON, 1 - EPSILON)


def cross(t, p):
    return -(t * np.log(cut(p)) + (1 - t) * np.log1p(-cut(p)))


def signs(t):
    return 2 * t - 1 if np.isin(t, (0, 1)).all() else t


def unit(x):
    return x / np.sqrt((x ** 2).sum(-1, keepdims=True))


def huber(t, p, delta=1.0):
    e = np.abs(t - p)
    return np.where(e <= delta, e ** 2 / 2, delta * (e - delta / 2)).mean(-1)


def focal(t, p):
    right = t * p + (1 - t) * (1 - p)
    return ((1 - right) ** 2 * cross(t, p)).mean(-1)


def categorical(t, p):
    return -(t * np.log(cut(p / p.sum(-1, keepdims=True)))).sum(-1)


# name: (reference, kind of predictions, kind of targets)
LOSSES = {
    "mean_squared_error": (lambda t, p: ((t - p) ** 2).mean(-1), "real", "real"),
    "mean_absolute_error": (lambda t, p: np.abs(t - p).mean(-1), "real", "real"),
    "mean_absolute_percentage_error": (
        lambda t, p: 100 * (np.abs(t - p) / np.maximum(np.abs(t), EPSILON)).mean(-1), "real", "positive"),
    "mean_squared_logarithmic_error": (
        lambda t, p: ((np.log1p(np.maximum(t, EPSILON)) - np.log1p(np.maximum(p, EPSILON))) ** 2).mean(-1),
        "positive", "positive"),
    "huber": (huber, "real", "real"),
    "log_cosh": (lambda t, p: (softplus(2 * (p - t)) - (p - t) - np.log(2)).mean(-1), "real", "real"),
    "hinge": (lambda t, p: np.maximum(1 - signs(t) * p, 0).mean(-1), "real", "binary"),
    "squared_hinge": (lambda t, p: (np.maximum(1 - signs(t) * p, 0) ** 2).mean(-1), "real", "binary"),
    "categorical_hinge": (lambda t, p: np.maximum(((1 - t) * p).max(-1) - (t * p).sum(-1) + 1, 0), "real", "binary"),
    "kl_divergence": (lambda t, p: (np.clip(t, EPSILON, 1) * np.log(np.clip(t, EPSILON, 1) / np.clip(p, EPSILON, 1))
                                    ).sum(-1), "share", "share"),
    "poisson": (lambda t, p: (p - t * np.log(p + EPSILON)).mean(-1), "positive", "positive"),
    "cosine_similarity": (lambda t, p: -(unit(t) * unit(p)).sum(-1), "real", "real"),
    "binary_crossentropy": (lambda t, p: cross(t, p).mean(-1), "share", "binary"),
    "binary_focal_crossentropy": (focal, "share", "binary"),
    "categorical_crossentropy": (categorical, "share", "binary"),
    "categorical_focal_crossentropy": (
        lambda t, p: -(0.25 * (1 - cut(p / p.sum(-1, keepdims=True))) ** 2 * t
                       * np.log(cut(p / p.sum(-1, keepdims=True)))).sum(-1), "share", "binary"),
}
CLASSES = {
    "MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error", "Huber": "huber", "LogCosh": "log_cosh",
    "Hinge": "hinge", "SquaredHinge": "squared_hinge", "CategoricalHinge": "categorical_hinge",
    "KLDivergence": "kl_divergence", "Poisson": "poisson", "CosineSimilarity": "cosine_similarity",
    "BinaryCrossentropy": "binary_crossentropy", "BinaryFocalCrossentropy": "binary_focal_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "CategoricalFocalCrossentropy": "categorical_focal_crossentropy",
}
METRICS = {       # metrics that are the mean of a loss
    **{name: function for name, function in CLASSES.items() if name not in (
        "Huber", "LogCosh", "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy")}, "LogCoshError": "log_cosh"}


def values(source, kind, shape):
    """Random numbers of a kind, float64."""
    if kind == "binary":
        return source.integers(0, 2, shape).astype(np.float64)
    if kind == "share":
        return source.uniform(0.02, 0.98, shape)
    return source.uniform(0.1, 3.0, shape) if kind == "positive" else source.standard_normal(shape)
