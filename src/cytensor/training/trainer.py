"""Trainer: what a model needs to be trained. compile, fit, evaluate, predict, and the steps they are made of.

A model may define its own `train_step(data)`; `fit` then does everything around it. The loops over epochs and batches
are in fitting.py and evaluation.py.
"""
import contextlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from cytensor import optimizers, parallel
from cytensor.autodiff.tape import GradientTape
from cytensor.callbacks import CallbackList, History
from cytensor.callbacks.callback_list import Callbacks
from cytensor.callbacks.progress import EvaluateProgress, PredictProgress, TrainProgress, resolve_verbose
from cytensor.checks import arguments
from cytensor.data import batches as batching
from cytensor.data.batch_size import BATCH, batches_together
from cytensor.data.shuffling import Shuffling
from cytensor.data.validation_split import split_tail
from cytensor.halves import in_numpy
from cytensor.layers.base import Layer
from cytensor.layers.base import _context as layer_context
from cytensor.layers.base import penalties as find_penalties
from cytensor.layers.naming import unique
from cytensor.metrics import Metric
from cytensor.optimizers import Optimizer
from cytensor.saving.models import noisy
from cytensor.tensor import Tensor, Variable
from cytensor.training import hints
from cytensor.training.compiled import Compiled, Output, made_of
from cytensor.training.evaluation import calls_of_pass, evaluate_batches, predict_batches
from cytensor.training.fitting import EpochNumbers, Epochs, resume_from, validation_batches
from cytensor.training.numerics import check_numerics as checking_numerics
from cytensor.training.numerics import not_finite_weights
from cytensor.training.overrides import call_with
from cytensor.training.per_output import Layout, Outputs
from cytensor.training.return_values import Returned, as_arrays, as_floats, as_returned, joined
from cytensor.training.run import IDLE, Parts, metrics_beside, running
from cytensor.types import Identifier, Logs, Nested, Path
from cytensor.user_warnings import warn

if TYPE_CHECKING:
    from cytensor.models import Model


class Trainer(Layer):
    """The part of Model that trains: a layer that can be fitted."""
    optimizer: Optimizer = None        # type: ignore[assignment]   # before compile
    stop_training: bool = False        # a callback may set these
    stop_evaluating: bool = False
    stop_predicting: bool = False
    history: History | None = None
    _compiled = Compiled(None, Output())       # of every model before its compile
    _shuffling: Shuffling
    _run = IDLE                        # the fit, evaluate or predict that is running

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls, *args, **kwargs)
        self._shuffling = Shuffling()
        return self

    # -- compile ------------------------------------------------------------------------------------------------------
    def compile(self, optimizer: Identifier | Optimizer = "rmsprop", loss: Identifier | Sequence[Identifier] = None,
                loss_weights: Any = None, metrics: Any = None, weighted_metrics: Any = None, run_eagerly: bool = False,
                steps_per_execution: int = 1, jit_compile: bool | str = "auto", auto_scale_loss: bool = True) -> None:
        """Say how to train: an optimizer, a loss and metrics, each a name, an object, a class or a function.

        loss_weights: a number that the loss is multiplied by. metrics are plain means over samples, weighted_metrics
        use the sample weights. For a model of several outputs each of these is a list, or a dictionary by the names of
        the outputs, with an entry for each output, None for none; one loss alone is that of every output. A dictionary
        of outputs is named by its keys. steps_per_execution: callbacks hear of every so many batches only; each is a
        step of its own all the same. run_eagerly, jit_compile and auto_scale_loss are accepted for Keras's sake and
        change nothing: every step runs at once, and losses need no scale.
        """
        arguments.check_call(Trainer.compile, locals())
        given = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics}
        output = made_of(self._layout(), self._output_name(), given)
        hints.warn_of_sigmoid(self, output.loss)
        self.optimizer = optimizers.get(optimizer)
        self._compiled = Compiled(self.optimizer, output, steps_per_execution)

    def _layout(self) -> Layout | None:
        """The arrangement and names of the outputs, None where only the model's `call` knows them."""
        return None

    def _output_name(self) -> str | None:
        """The name of the model's output, None where only its `call` knows."""
        return None

    @property
    def loss(self) -> Any:
        """The Loss that training minimises, None where nothing was compiled; may be set to another.

        Of several outputs: what `compile` was given.
        """
        return self._compiled.output.loss

    @loss.setter
    def loss(self, value: Any) -> None:
        self._compiled = self._compiled.with_loss(value)

    @property
    def steps_per_execution(self) -> int:
        """Of how many batches at once callbacks hear, as `compile` was told."""
        return self._compiled.steps_per_execution

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self.optimizer is not None

    def _require_compiled(self, op: str) -> None:
        if self._compiled.loss_tracker is None:
            raise RuntimeError(f"{op}: the model must be compiled first; "
                               f"call model.compile(optimizer=..., loss=..., metrics=[...])")

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, the compiled metrics, and those that the model, a layer in it or the loss keeps as attributes.

        Reset at the start of every epoch. May be overridden.
        """
        parts = self._run.parts
        return unique([*self._compiled.metrics, *(parts.metrics if parts else metrics_beside(self, self.flattened()))])

    @property
    def metrics_names(self) -> list[str]:
        """The names of `metrics` in the logs."""
        return [self._compiled.log_name(metric) for metric in self.metrics]

    def get_metrics_result(self) -> Logs:
        """The value of every metric so far, by name."""
        name = self._compiled.log_name
        return {name(metric): metric.value() for metric in self.metrics}

    def reset_metrics(self) -> None:
        """Forget the batches seen."""
        for metric in self.metrics:
            metric.reset_state()

    # -- one batch ----------------------------------------------------------------------------------------------------
    def train_step(self, data: Nested) -> Logs:
        """One batch of training; returns the logs. Override for one's own; `data` is as the batches of `fit` are."""
        x, y, sample_weight = batching.unpack_x_y_sample_weight(data)
        checker = layer_context.checker
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, True)
        parts = self._run.parts or Parts(self)
        if checker is not None:
            checker.loss(self.loss, y, y_pred, loss)
        value = float(loss)
        if not math.isfinite(value) and self._run.bad_weights is None and self._run is not IDLE:
            self._run.bad_weights = not_finite_weights(self)      # now: the step will spoil the others too
        if parts.weights:
            gradients = parallel.current.gradients or GradientTape.gradient
            self._update(gradients(tape, loss, parts.weights), parts.weights)
        elif not self._run.has_trained:
            warn(f"fit: model '{self.name}' has no trainable weights")
        self._compiled.track(value, batching.count_samples(x))
        return self._logs_of(x, y, y_pred, sample_weight)

    def _update(self, gradients: Sequence[Tensor | None], weights: Sequence[Variable]) -> None:
        """Move the weights by the gradients of one batch; override it for training on several processes.

        gradients: one tensor for each of `weights`, of its shape and dtype, None where the loss does not depend on it;
        weights: the trainable Variables, in the same order on every process. `train_step` calls it once a batch, with
        nothing between the gradients and the optimizer but this: an override adds up or averages what each process has
        found, and hands the result on.

        >>> from cytensor import Sequential, layers
        >>> class Halved(Sequential):
        ...     def _update(self, gradients, weights):
        ...         super()._update([gradient * 0.5 for gradient in gradients], weights)
        >>> model = Halved([layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(optimizers.SGD(1.0), "mse")
        >>> _ = model.train_on_batch([[1.]], [[1.]])
        >>> model.get_weights()[0].tolist()                # the gradient is -2
        [[1.0]]
        """
        self.optimizer.apply(gradients, weights)

    def test_step(self, data: Nested) -> Logs:
        """One batch of evaluation; returns the logs."""
        x, y, sample_weight = batching.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, False)
        self._compiled.track(float(loss), batching.count_samples(x))
        return self._logs_of(x, y, y_pred, sample_weight)

    def _loss_of(self, x: Nested, y: Nested, y_pred: Nested, sample_weight: Nested, training: bool) -> Tensor:
        """What `compute_loss` gives, also where an override takes fewer arguments."""
        if getattr(self.compute_loss, "__func__", None) is Trainer.compute_loss:
            return self.compute_loss(x, y, y_pred, sample_weight, training)
        loss: Tensor = call_with(self.compute_loss, x=x, y=y, y_pred=y_pred, sample_weight=sample_weight,
                                 training=training)
        return loss

    def _logs_of(self, x: Nested, y: Nested, y_pred: Nested, sample_weight: Nested) -> Logs:
        """What `compute_metrics` gives, also where an override takes fewer arguments."""
        if getattr(self.compute_metrics, "__func__", None) is Trainer.compute_metrics:
            return self.compute_metrics(x, y, y_pred, sample_weight)
        logs: Logs = call_with(self.compute_metrics, x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        return logs

    def predict_step(self, data: Nested) -> Nested:
        """The predictions of one batch."""
        return self(batching.unpack_x_y_sample_weight(data)[0], training=False)

    def compute_loss(self, x: Nested = None, y: Nested = None, y_pred: Nested = None,
                     sample_weight: Nested = None, training: bool = True) -> Tensor:
        """The compiled loss plus what the regularizers add: a scalar. An override need not take every argument."""
        parts, output = self._run.parts, self._compiled.output_of(y_pred)
        penalties: list[Tensor] = find_penalties(parts.layers) if parts else self.losses
        if output.loss is None:
            if not penalties:
                raise ValueError("compute_loss: there is nothing to minimise; give compile a loss, "
                                 "or define train_step")
            return sum(penalties[1:], start=penalties[0])
        loss = output.weighted_loss(y, y_pred, sample_weight)
        return sum(penalties, start=loss) if penalties else loss

    def compute_metrics(self, x: Nested, y: Nested, y_pred: Nested, sample_weight: Nested = None) -> Logs:
        """Update the compiled metrics with a batch; the logs: each metric's value so far, by name.

        An override need not take every argument.
        """
        self._compiled.output_of(y_pred).update_metrics(y, y_pred, sample_weight)
        return self.get_metrics_result()

    # -- fit ----------------------------------------------------------------------------------------------------------
    def fit(self, x: Nested = None, y: Nested = None, batch_size: int | None = None, epochs: int = 1,
            verbose: int | str = "auto", callbacks: Callbacks = None, validation_split: float = 0.0,
            validation_data: Any = None, shuffle: bool | str = True, class_weight: dict[Any, Any] | None = None,
            sample_weight: Nested = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
            validation_steps: int | None = None, validation_batch_size: int | None = None,
            validation_freq: int | EpochNumbers = 1, resume: Path | None = None,
            check_numerics: bool = False) -> History:
        """Train for `epochs` epochs; returns a History with the logs of each.

        x, y: arrays, tensors or lists with samples along the first axis; or x alone, an iterator of batches (x, y) or
        (x, y, sample_weight). validation_split: the share of the samples, taken from the end, that is evaluated and not
        trained on. Of a model with several outputs y and sample_weight are lists, or dictionaries by the names of the
        outputs; class_weight is such a dictionary of those of one output. shuffle: whether each epoch has the samples
        of arrays in another order; "batch" for the batches in their order and the samples of each in another.
        steps_per_epoch: the batches of an epoch; the next goes on behind them, and the data starts over, in a new
        order, when it has ended; without batch_size also into how many batches arrays are cut. initial_epoch: the
        number of the first epoch; from another than 0 on, `fit` goes on with the training before it, in its order of
        samples. validation_freq: every how many epochs to validate, or the epochs (from 1) that do. resume: a file that
        is written after every epoch and, where it exists, continued from: the result is the same, bit for bit.
        check_numerics: stop at the first NaN or infinity and say where it arose.
        """
        arguments.check_call(Trainer.fit, locals())
        self._require_compiled("fit")
        verbose = resolve_verbose(verbose)
        if validation_split:
            if validation_data is not None:
                raise ValueError("fit: give either validation_split or validation_data; got both")
            (x, y, sample_weight), validation_data = split_tail("fit", x, y, sample_weight, validation_split,
                                                                self._casts()["several"], self._names_of_outputs())
        batches = batching.make_batches("fit", x, y, sample_weight, batch_size, shuffle=shuffle, steps=steps_per_epoch,
                                        first_epoch=initial_epoch, class_weight=class_weight, **self._casts())
        validation = validation_batches(validation_data, validation_batch_size or batch_size, validation_steps,
                                        self._casts())
        progress = TrainProgress(verbose, batches.steps, epochs)
        calls = CallbackList(callbacks, add_history=True, model=self, epochs=epochs, steps=batches.steps,
                             verbose=verbose)
        history = calls.history
        assert history is not None
        epoch_loop = Epochs(self, batches, calls, validation, validation_freq,
                            resume_from(resume, self, batches, calls.callbacks))
        if verbose:
            calls.append(progress)
        try:
            with (running(self, "stop_training", "history"),
                  checking_numerics() if check_numerics else contextlib.nullcontext()):
                self.stop_training, self.history = False, history
                if initial_epoch < epochs:
                    self._shuffling.begin(batches, initial_epoch)
                for path, layer in noisy(self):
                    layer.follow_seed(path)
                epoch_loop.run(initial_epoch, epochs)
        finally:
            progress.close()
            batches.close()
        return history

    # -- evaluate and predict -----------------------------------------------------------------------------------------
    def evaluate(self, x: Nested = None, y: Nested = None, batch_size: int | None = None, verbose: int | str = "auto",
                 sample_weight: Nested = None, steps: int | None = None, callbacks: Callbacks = None,
                 return_dict: bool = False) -> Returned:
        """The mean loss and the metrics over the data: a list of floats, the loss first, or one float; or a dict."""
        arguments.check_call(Trainer.evaluate, locals())
        self._require_compiled("evaluate")
        batches = batching.make_batches("evaluate", x, y, sample_weight, batch_size, steps=steps, **self._casts())
        verbose = resolve_verbose(verbose)
        progress = EvaluateProgress(verbose, batches.steps)
        calls = calls_of_pass(self, batches, callbacks, verbose, progress)
        try:
            with running(self, "stop_evaluating"):
                logs = evaluate_batches(self, batches, calls)
        finally:
            progress.close()
        return as_returned(logs, return_dict)

    def predict(self, x: Nested, batch_size: int | None = None, verbose: int | str = "auto", steps: int | None = None,
                callbacks: Callbacks = None) -> Nested:
        """The model's output for x, as a NumPy array.

        Data of one batch costs little more than calling the model, and shows progress for verbose 1 and 2 alone.
        """
        arguments.check_call(Trainer.predict, locals())
        together = 1
        if callbacks is None and steps is None and not batching.is_iterator(x):
            x = batching.as_inputs("predict", x, self._casts()["several"])
            if 0 < batching.count_samples(x) <= (batch_size or BATCH) and verbose in ("auto", 0):
                return self._predict_at_once(x)
            if batch_size is None and isinstance(x, Tensor) and x.size:
                together = batches_together(cast("Model", self), x)
        size = batch_size if steps else (batch_size or BATCH) * together
        batches = batching.make_batches("predict", x, None, None, size, steps=steps, **self._casts())
        verbose = resolve_verbose(verbose)
        progress = PredictProgress(verbose, batches.steps, batches.samples if together > 1 else None)
        calls = calls_of_pass(self, batches, callbacks, verbose, progress)
        try:
            with running(self, "stop_predicting"):
                return joined(predict_batches(self, batches, calls))
        finally:
            progress.close()

    # -- single batches -----------------------------------------------------------------------------------------------
    def train_on_batch(self, x: Nested, y: Nested = None, sample_weight: Nested = None,
                       class_weight: dict[Any, Any] | None = None, return_dict: bool = False) -> Returned:
        """One training step on the whole of x and y; the loss and metrics of this batch alone."""
        arguments.check_call(Trainer.train_on_batch, locals())
        self._require_compiled("train_on_batch")
        data = self._single_batch("train_on_batch", x, y, sample_weight, class_weight)
        with running(self) as run:
            run.parts = Parts.of(self)
            self.reset_metrics()
            return as_returned(as_floats("train_step", self.train_step(data)), return_dict)

    def test_on_batch(self, x: Nested, y: Nested = None, sample_weight: Nested = None,
                      return_dict: bool = False) -> Returned:
        """Evaluate the whole of x and y as one batch; its loss and metrics."""
        arguments.check_call(Trainer.test_on_batch, locals())
        self._require_compiled("test_on_batch")
        data = self._single_batch("test_on_batch", x, y, sample_weight)
        with running(self) as run:
            run.parts = Parts.of(self)
            self.reset_metrics()
            return as_returned(as_floats("test_step", self.test_step(data)), return_dict)

    def predict_on_batch(self, x: Nested) -> Nested:
        """The model's output for the whole of x, as a NumPy array."""
        return self._predict_at_once(batching.as_inputs("predict_on_batch", x, self._casts()["several"]))

    def _predict_at_once(self, x: Nested) -> Nested:
        with contextlib.nullcontext() if self._run is IDLE else running(self):
            return as_arrays(self.predict_step(x if isinstance(x, Tensor) else (x,)))

    def _single_batch(self, op: str, x: Nested, y: Nested, sample_weight: Nested,
                      class_weight: dict[Any, Any] | None = None) -> Nested:
        x = None if x is None else batching.as_inputs(op, x, self._casts()["several"])
        size = None if x is None else max(1, batching.count_samples(x))
        batches = batching.make_batches(op, x, y, sample_weight, size, class_weight=class_weight, **self._casts())
        return next(batches.epoch(0))

    def _casts(self) -> dict[str, Any]:
        """The dtype that floats of a batch are cast to, whether integers are too, whether x may be several inputs; and
        the names of the outputs, that y is for: None where only the model's `call` knows them.
        """
        return {"dtype": in_numpy(self.dtype), "casts_integers": False, "several": True,
                "outputs": self._names_of_outputs()}

    def _names_of_outputs(self) -> list[str] | None:
        output = self._compiled.output
        layout = output.layout if isinstance(output, Outputs) else self._layout()
        if layout is None and isinstance(output, Outputs) and isinstance(output.given["loss"], (list, tuple)):
            return [f"output_{place + 1}" for place in range(len(output.given["loss"]))]
        return None if layout is None else layout.names

