"""The cases that are compared with Keras, and their inputs, as formulas: no random generator is shared with Keras."""
import numpy as np

STEPS = 20

CASES = {
    "training": [
        ["sgd", {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}],
        ["rmsprop", {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}],
        ["adam", {"loss": "categorical_crossentropy", "metrics": ["accuracy"]}],
        ["adam", {"loss": "mse", "metrics": ["mae", "accuracy"]}],
        ["rmsprop", {"loss": "binary_crossentropy", "metrics": ["accuracy", "AUC"]}],
        ["sgd", {"loss": "mse", "metrics": ["mae", "mae"], "weighted_metrics": ["mae", "accuracy", "mae"]}],
    ],
    "optimizers": [
        ["SGD", {}],
        ["SGD", {"learning_rate": 0.1, "momentum": 0.9}],
        ["SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}],
        ["SGD", {"learning_rate": 0.1, "weight_decay": 0.05}],
        ["SGD", {"learning_rate": 0.1, "clipnorm": 0.5}],
        ["SGD", {"learning_rate": 0.1, "clipvalue": 0.3}],
        ["SGD", {"learning_rate": 0.1, "global_clipnorm": 0.5}],
        ["SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4}],
        ["SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 3}],
        ["SGD", {"learning_rate": ["ExponentialDecay",
                                   {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5}]}],
        ["SGD", {"learning_rate": ["ExponentialDecay",
                                   {"initial_learning_rate": 0.1, "decay_steps": 5, "decay_rate": 0.5}],
                 "gradient_accumulation_steps": 3, "clipnorm": 0.2, "weight_decay": 0.05}],
        ["SGD", {"learning_rate": 0.1, "momentum": 0.9, "gradient_accumulation_steps": 2, "global_clipnorm": 0.2,
                 "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3}],
        ["RMSprop", {}],
        ["RMSprop", {"learning_rate": 0.01, "rho": 0.8, "momentum": 0.9}],
        ["RMSprop", {"learning_rate": 0.01, "centered": True}],
        ["RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True}],
        ["Adam", {}],
        ["Adam", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-5}],
        ["Adam", {"learning_rate": 0.02, "amsgrad": True}],
        ["Adam", {"learning_rate": 0.02, "gradient_accumulation_steps": 2}],
        ["Adam", {"learning_rate": 0.02, "gradient_accumulation_steps": 2, "clipvalue": 0.1, "use_ema": True,
                  "ema_momentum": 0.8}],
        ["AdamW", {}],
        ["AdamW", {"learning_rate": 0.02, "weight_decay": 0.1}],
        ["Adamax", {}],
        ["Adagrad", {"learning_rate": 0.05}],
        ["Adadelta", {"learning_rate": 0.5}],
        ["Nadam", {}],
        ["Lion", {}],
    ],
    "losses": [
        ["SparseCategoricalCrossentropy", {}],
        ["SparseCategoricalCrossentropy", {"from_logits": True}],
        ["SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 1}],
        ["CategoricalCrossentropy", {}],
        ["CategoricalCrossentropy", {"from_logits": True}],
        ["CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}],
        ["BinaryCrossentropy", {}],
        ["BinaryCrossentropy", {"from_logits": True}],
        ["BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.2}],
        ["MeanSquaredError", {}],
        ["MeanAbsoluteError", {}],
        ["MeanAbsolutePercentageError", {}],
        ["MeanSquaredLogarithmicError", {}],
        ["Huber", {}],
        ["Huber", {"delta": 0.3}],
        ["LogCosh", {}],
        ["Hinge", {}],
        ["SquaredHinge", {}],
        ["CategoricalHinge", {}],
        ["KLDivergence", {}],
        ["Poisson", {}],
        ["CosineSimilarity", {}],
        ["BinaryFocalCrossentropy", {}],
        ["BinaryFocalCrossentropy", {"from_logits": True, "apply_class_balancing": True, "gamma": 1.5}],
        ["CategoricalFocalCrossentropy", {}],
        ["CategoricalFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}],
    ],
    "metrics": [
        ["SparseCategoricalAccuracy", {}],
        ["CategoricalAccuracy", {}],
        ["BinaryAccuracy", {}],
        ["BinaryAccuracy", {"threshold": 0.3}],
        ["TopKCategoricalAccuracy", {"k": 2}],
        ["SparseTopKCategoricalAccuracy", {"k": 2}],
        ["MeanSquaredError", {}],
        ["RootMeanSquaredError", {}],
        ["MeanAbsoluteError", {}],
        ["CosineSimilarity", {}],
        ["KLDivergence", {}],
        ["Poisson", {}],
        ["BinaryCrossentropy", {}],
        ["CategoricalCrossentropy", {}],
        ["SparseCategoricalCrossentropy", {}],
        ["R2Score", {}],
        ["R2Score", {"class_aggregation": None, "num_regressors": 2}],
        ["R2Score", {"class_aggregation": "variance_weighted_average"}],
        ["Precision", {}],
        ["Precision", {"thresholds": 0.3}],
        ["Precision", {"top_k": 2}],
        ["Recall", {}],
        ["Recall", {"thresholds": 0.3}],
        ["AUC", {}],
        ["AUC", {"curve": "PR"}],
        ["AUC", {"num_thresholds": 11, "summation_method": "majoring"}],
        ["AUC", {"num_thresholds": 11, "summation_method": "minoring"}],
        ["F1Score", {"threshold": 0.5}],
        ["F1Score", {"threshold": 0.5, "average": "micro"}],
        ["F1Score", {"threshold": 0.5, "average": "macro"}],
        ["F1Score", {"threshold": 0.5, "average": "weighted"}],
        ["F1Score", {}],
    ],
    "schedules": [
        ["ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.7}],
        ["ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.7, "staircase": True}],
        ["InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.7}],
        ["InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.7, "staircase": True}],
        ["PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20}],
        ["PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 20, "power": 2.0, "cycle": True}],
        ["PiecewiseConstantDecay", {"boundaries": [9, 21], "values": [0.1, 0.05, 0.01]}],
        ["CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 40}],
        ["CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 40, "alpha": 0.1}],
        ["CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 30, "warmup_target": 0.2, "warmup_steps": 12}],
        ["CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 10}],
        ["CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 8, "t_mul": 1.5, "m_mul": 0.8,
                                 "alpha": 0.1}],
    ],
    "activations": [
        ["relu", {}],
        ["relu", {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.2}],
        ["leaky_relu", {}],
        ["relu6", {}],
        ["elu", {}],
        ["elu", {"alpha": 0.5}],
        ["selu", {}],
        ["softplus", {}],
        ["softsign", {}],
        ["silu", {}],
        ["gelu", {"approximate": False}],
        ["gelu", {"approximate": True}],
        ["sigmoid", {}],
        ["hard_sigmoid", {}],
        ["tanh", {}],
        ["exponential", {}],
        ["linear", {}],
        ["softmax", {}],
        ["log_softmax", {}],
        ["celu", {"alpha": 0.7}],
        ["mish", {}],
        ["hard_silu", {}],
        ["hard_tanh", {}],
        ["log_sigmoid", {}],
        ["squareplus", {}],
        ["tanh_shrink", {}],
        ["soft_shrink", {}],
        ["hard_shrink", {}],
        ["threshold", {"threshold": 0.5, "default_value": -1.0}],
    ],
}


# -- training: (20, 5) -> Dense(8, relu) -> Dense(3 or 1), 4 epochs of 5 batches ---------------------------------------
def training_data(loss):
    """(x, y) for `loss`, and the activation and units of the last layer."""
    x = _waves(20, 5).astype(np.float32)
    labels = (np.arange(20) * 7 // 3) % 3
    if loss == "binary_crossentropy":
        return x, (labels > 0).astype(np.float32)[:, None], "sigmoid", 1
    return x, labels if loss.startswith("sparse") else np.eye(3, dtype=np.float32)[labels], "softmax", 3


def training_weights(units):
    return [(0.3 * _waves(5, 8)).astype(np.float32), (0.1 * _waves(1, 8)[0]).astype(np.float32),
            (0.4 * _waves(8, units)).astype(np.float32), np.zeros(units, np.float32)]


# -- optimizers -------------------------------------------------------------------------------------------------------
def parameters():
    return np.array([[1.0, -2.0, 0.5], [0.3, -0.1, 4.0]], np.float32)


def gradient(step):
    """Gradients that change sign, size and direction."""
    places = np.arange(6, dtype=np.float64).reshape(2, 3)
    return (np.cos(1.7 * places + 0.9 * step) * (1 + 0.3 * places)).astype(np.float32)


# -- losses and metrics -----------------------------------------------------------------------------------------------
SPARSE = ("SparseCategorical", "SparseTopK")
SINGLE = ("AUC", "Precision", "Recall", "BinaryAccuracy")


def _waves(n, c):
    rows, columns = np.arange(n)[:, None], np.arange(c)[None, :]
    return np.sin(1.3 * rows + 2.1 * columns) + 0.5 * np.cos(0.7 * rows * columns)


def _softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def weights(n):
    return (0.5 + 0.25 * np.arange(n) % 2.0).astype(np.float32)


def targets_and_predictions(name, arguments, n=8, c=4):
    """(y_true, y_pred) that suit the loss or metric called `name`."""
    z = _waves(n, c)
    labels = (np.arange(n) * 3 + np.arange(n) // 3) % c
    one_hot = np.eye(c, dtype=np.float32)[labels]
    logits, probabilities = (2 * z).astype(np.float32), _softmax(2 * z).astype(np.float32)
    if name.startswith(SPARSE):
        return labels.astype(np.int32), logits if arguments.get("from_logits") else probabilities
    if name.startswith(("Categorical", "TopK", "F1Score")) or "top_k" in arguments:
        return one_hot, logits if arguments.get("from_logits") else probabilities
    binary = (_waves(n, c)[:, ::-1] > 0).astype(np.float32)
    if name.startswith(("BinaryCross", "BinaryFocal")):
        return binary, logits if arguments.get("from_logits") else (1 / (1 + np.exp(-2 * z))).astype(np.float32)
    if name.startswith(SINGLE):
        return binary[:, :1], (1 / (1 + np.exp(-2 * z[:, 1:2]))).astype(np.float32)
    if name in ("KLDivergence",):
        return _softmax(z[:, ::-1]).astype(np.float32), probabilities
    if name in ("Poisson", "MeanSquaredLogarithmicError", "MeanAbsolutePercentageError"):
        return (np.abs(z[:, ::-1]) + 0.1).astype(np.float32), (np.abs(z) + 0.2).astype(np.float32)
    if "Hinge" in name:
        return 2 * binary - 1, z.astype(np.float32)
    return z[:, ::-1].astype(np.float32), z.astype(np.float32)


# -- activations ------------------------------------------------------------------------------------------------------
def activation_inputs():
    return np.array([[-8.0, -2.5, -1.0, -0.3, -1e-3], [0.05, 0.15, 0.7, 2.2, 9.0]], np.float32)


def activation_weights():
    return np.array([[1.0, -0.5, 2.0, 0.3, 1.1], [0.7, 1.3, -1.0, 0.4, 0.9]], np.float32)
