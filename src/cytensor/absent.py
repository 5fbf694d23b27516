"""What Keras and TensorFlow have and cytensor has not, and why: the one table that messages and docs/keras.md share.

A module that calls `explain(__name__)` gives the reason where such a name is asked of it, or imported from it.
"""
import difflib
import sys
from types import FrameType
from typing import Any, NamedTuple


class Absent(NamedTuple):
    """What the docs call some names, why they are not there, and the names."""
    label: str
    reason: str
    names: str

    def __str__(self) -> str:
        return f"{self.label}: {self.reason}"


def _named(names: str, reason: str) -> Absent:
    """Names that the docs list one by one."""
    return Absent(", ".join(f"`{name}`" for name in names.split()), reason, names)


def _in_dimensions(stems: str, *dimensions: int) -> str:
    return " ".join(f"{stem}{dimension}D" for stem in stems.split() for dimension in dimensions)


ABSENT: dict[str, tuple[Absent, ...]] = {
    "models": (
        Absent("`Functional`, `model_from_config`", "`Model(inputs, outputs)`, and `from_config` of the class",
               "Functional model_from_config"),
    ),
    "layers": (
        Absent("recurrence, attention", "not there yet", " ".join((
            _in_dimensions("AdaptiveAveragePooling AdaptiveMaxPooling ConvLSTM", 1, 2, 3),
            "LSTM GRU SimpleRNN RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells Bidirectional TimeDistributed",
            "Attention AdditiveAttention MultiHeadAttention GroupQueryAttention GroupedQueryAttention",
            "SpectralNormalization"))),
        Absent("image and text preprocessing", "done before training",
               "RandomFlip RandomRotation RandomZoom RandomCrop RandomTranslation RandomContrast RandomBrightness "
               "RandomHeight RandomWidth RandomColorDegeneration RandomColorJitter RandomElasticTransform "
               "RandomErasing RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective "
               "RandomPosterization RandomSaturation RandomSharpness RandomShear Resizing CenterCrop AutoContrast "
               "AugMix CutMix MixUp Equalization MaxNumBoundingBoxes Pipeline RandAugment Solarization "
               "ContrastLimitedAdaptiveHistogramEqualization "
               "MelSpectrogram STFTSpectrogram TextVectorization Hashing HashedCrossing"),
        _named("EinsumDense", "write a `Layer` with `ct.einsum`"),
        Absent("`Wrapper`, `InputSpec` and layers of other libraries", "write a `Layer`",
               "Wrapper InputSpec FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper ReversibleEmbedding"),
    ),
    "losses": (
        Absent("`CTC`, `Circle`, `Dice`, `Tversky`", "for sequences, retrieval and segmentation",
               "CTC Circle Dice Tversky ctc circle dice tversky"),
        Absent("`CategoricalGeneralizedCrossEntropy`", "for noisy labels",
               "CategoricalGeneralizedCrossEntropy categorical_generalized_cross_entropy"),
    ),
    "metrics": (
        Absent("`PrecisionAtRecall`, `RecallAtPrecision`, `SensitivityAtSpecificity`, `SpecificityAtSensitivity`, "
               "`ConcordanceCorrelation`, `PearsonCorrelation`", "to be computed from predictions",
               "PrecisionAtRecall RecallAtPrecision SensitivityAtSpecificity SpecificityAtSensitivity "
               "ConcordanceCorrelation PearsonCorrelation concordance_correlation pearson_correlation"),
    ),
    "optimizers": (
        _named("Adafactor Ftrl Lamb Muon MultiOptimizer OptimizerMap ScheduleFreeAdamW", "for large models"),
        _named("LossScaleOptimizer", "nothing is computed in float16"),
    ),
    "optimizers.schedules": (),
    "callbacks": (
        _named("RemoteMonitor", "sends to a server"),
        _named("SwapEMAWeights", "`use_ema` puts the averages in at the end"),
        _named("ProgbarLogger", "`verbose`"),
        _named("OrbaxCheckpoint", "for JAX"),
    ),
    "dtype_policies": (
        _named("DTypePolicyMap QuantizedDTypePolicy QuantizedFloat8DTypePolicy GPTQDTypePolicy AWQDTypePolicy "
               "Int4DTypePolicy",
               "weights are not quantized, and each layer says its own"),
    ),
    "mixed_precision": (_named("LossScaleOptimizer", "nothing is computed in float16"),),
    "initializers": (
        Absent("`STFT`, `STFTInitializer`", "for audio", "STFT STFTInitializer stft"),
        _named("IdentityInitializer OrthogonalInitializer", "`Identity` and `Orthogonal`"),
    ),
    "activations": (
        Absent("`glu`, `sparsemax` and the other sparse ones", "for gated and sparse attention",
               "glu sparsemax sparse_plus sparse_sigmoid"),
    ),
    "ops": (
        _named("adaptive_average_pool adaptive_max_pool", "`Flatten` or a pool of fixed windows"),
        _named("associative_scan jvp", "for JAX"),
        Absent("`fft` and the other transforms", "NumPy's, before training",
               "fft fft2 ifft2 irfft rfft stft istft extract_sequences"),
        Absent("complex parts", "layers compute in real numbers",
               "angle conjugate isreal polar view_as_complex view_as_real"),
        _named("ctc_decode ctc_loss", "for sequences"),
        Absent("further factorizations", "NumPy's `linalg`, without a gradient",
               "cholesky_inverse eig lstsq lu_factor solve_triangular"),
        _named("erfc erfinv i0", "SciPy's `special`, without a gradient"),
        Absent("further statistics that pass over NaN", "NumPy's, without a gradient",
               "nancumprod nancumsum nanmedian nanpercentile nanquantile"),
        _named("segment_max segment_min segment_prod", "`segment_sum` and a loop over segments"),
        _named("sparse_plus sparse_sigmoid sparsemax", "for sparse attention"),
        _named("cdist rearrange unique vectorize", "NumPy's, or written with `einsum` and `vectorized_map`"),
        _named("image fold unfold depth_to_space space_to_depth", "`ct.resize`, and `reshape` with `permute_dims`"),
    ),
    "random": (_named("beta binomial gamma", "NumPy's generators draw them"),),
    "regularizers": (),
    "constraints": (),
    "saving": (_named("KerasFileEditor", "`saving.load` reads the tensors of a file"),),
    "data": (_named("Dataset", "batches are arrays, a generator or a `PyDataset`"),),
    "utils": (
        Absent("folders of sound and text", "done before training",
               "audio_dataset_from_directory text_dataset_from_directory"),
        _named("model_to_dot", "`plot_model` draws without Graphviz"),
        _named("FeatureSpace", "`Normalization`, `CategoryEncoding` and `concatenate`"),
        Absent("switches of the bar", "`verbose` of `fit`", "disable_interactive_logging enable_interactive_logging "
               "is_interactive_logging_enabled"),
        Absent("`bounding_boxes` and inner helpers", "for other models than are here",
               "bounding_boxes Config get_source_inputs is_keras_tensor standardize_dtype"),
    ),
    "distribution": (
        Absent("`DeviceMesh`, `TensorLayout`, `LayoutMap`, `ModelParallel`", "every process has the whole model",
               "DeviceMesh TensorLayout LayoutMap ModelParallel distribute_tensor"),
        Absent("`initialize`, `list_devices`, `get_device_count`", "`mpiexec` starts the processes and says how many",
               "initialize list_devices get_device_count"),
    ),
    "": (
        Absent("`tf.data`", "batches are arrays, a generator or a `PyDataset`", "data TFRecordReader"),
        Absent("`tf.signal`, `tf.image`, `tf.io` and the like",
               "NumPy's functions and Pillow's do it before training",
               "signal image io audio sparse ragged lookup bitwise sets RaggedTensor SparseTensor"),
        Absent("sessions, graphs and traced loops", "every operation runs at once",
               "Session placeholder Graph autograph while_loop cond scan TensorArray compat "
               "py_function numpy_function global_variables_initializer"),
        Absent("`tf.saved_model`, `tf.train`, `tf.summary`",
               "`save` and `fit(resume=)` write files, `callbacks.TensorBoard` logs", "saved_model train summary"),
        Absent("`tf.experimental.numpy`", "`import cytensor as tnp`: it has NumPy's names itself", "experimental"),
        Absent("`tf.distribute`", "`ct.distribution` trains on several processes", "distribute tpu lite"),
        Absent("`keras.Function`, `Operation`, `InputSpec`, `name_scope`", "`Model(inputs, outputs)` and `Layer`",
               "Function Operation InputSpec name_scope"),
        Absent("`keras.quantizers`, `keras.export`, `keras.distillation`, `keras.visualization`, `keras.legacy`",
               "for other models than are here", "Quantizer quantizers export distillation visualization legacy"),
        Absent("`keras.tree`", "Python's own comprehensions", "tree"),
        Absent("`keras.wrappers`", "`ct.sklearn` has the estimators", "wrappers"),
        Absent("scopes without state", "for JAX", "RematScope StatelessScope SymbolicScope remat"),
        Absent("`applications`, `tf.estimator`, `tf.feature_column`", "for other models than are here",
               "applications estimator feature_column"),
    ),
}

# What most modules of Keras have, and none here.
EVERYWHERE = (
    Absent("`legacy`", "for files of Keras 2", "legacy"),
)

# What layers and models of Keras have beside: the reason for each method or attribute.
MEMBERS = {
    name: group.reason for group in (
        _named("quantize jit_compile run_eagerly", "models run here as they are; `save` writes them to a file"),
        _named("get_input_at get_output_at symbolic_call save_spec",
               "`input` and `output` are those of the first call on a symbolic tensor"),
        _named("add_metric", "keep a `Metric` as an attribute and call its `update_state`, as in Keras 3"),
        _named("input_spec", "`call` may raise for an input that it does not take"),
        _named("fit_generator evaluate_generator predict_generator", "`fit`, `evaluate` and `predict` take generators"),
        _named("predict_classes", "`predict(x).argmax(axis=-1)`, or `predict(x) > 0.5` for one probability"),
        _named("predict_proba", "`predict` gives the probabilities"),
        _named("stateless_call stateless_compute_loss", "for JAX"),
        _named("autocast", "inputs are always cast; weights by a layer's own `call`"),
        _named("distribute_strategy", "`ct.distribution.distribution()` gives what was set"),
        _named("train_function test_function predict_function make_train_function make_test_function "
               "make_predict_function", "nothing is traced; a model of one's own overrides `train_step`"),
    ) for name in group.names.split()
}


def explain_members(cls: Any) -> None:
    """Let a class's objects say why they have not what `MEMBERS` lists. Set from here, as `explain` does."""
    def __getattr__(self: Any, name: str) -> Any:
        if name not in MEMBERS or hasattr(type(self), name):
            return object.__getattribute__(self, name)         # raises as it did, also from inside a property
        reason = MEMBERS[name].replace("`", "")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}; {reason}")

    cls.__getattr__ = __getattr__


def explain(module: str) -> None:
    """Give a module a `__getattr__` that raises the error below. Set from here, or checkers of types would take every
    name for there.
    """
    def __getattr__(name: str) -> Any:
        raise error(module, name, sys._getframe(1))

    vars(sys.modules[module])["__getattr__"] = __getattr__


def error(module: str, name: str, caller: FrameType) -> AttributeError | ImportError:
    """The error for a name that a module has not, with the reason, or else the nearest that it has.

    An AttributeError; an ImportError where the frame `caller` runs `from module import name`, since the words of an
    AttributeError would be lost there.
    """
    message = f"module {module!r} has no attribute {name!r}{_because(module, name)}"
    if _is_import(caller):
        return ImportError(message, name=module)
    return AttributeError(message)         # without `name`, or Python would add a guess of its own


def _because(module: str, name: str) -> str:
    if name.startswith("_"):
        return ""
    area = module.partition("cytensor")[2].strip(".").removeprefix("keras").strip(".")
    area = {"preprocessing": "utils"}.get(area, area)
    for group in (*ABSENT.get(area, ()), *EVERYWHERE):
        if name in group.names.split():
            return f"; {group}".replace("`", "")
    near = difflib.get_close_matches(name, getattr(sys.modules.get(module), "__all__", ()), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else "; docs/keras.md lists what there is"


def _is_import(frame: FrameType) -> bool:
    """Whether a frame runs the `import name` part of `from module import name`."""
    import opcode

    code = frame.f_code.co_code
    return frame.f_lasti >= 0 and code[frame.f_lasti] == opcode.opmap["IMPORT_FROM"]
