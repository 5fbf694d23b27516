"""Callbacks: code that `fit`, `evaluate` and `predict` call at fixed times."""
from cytensor.absent import explain
from cytensor.callbacks.base import Callback, History, LambdaCallback
from cytensor.callbacks.callback_list import CallbackList
from cytensor.callbacks.checkpoints import BackupAndRestore, ModelCheckpoint
from cytensor.callbacks.control import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, TerminateOnNaN
from cytensor.callbacks.tensorboard import TensorBoard
from cytensor.callbacks.writing import CSVLogger

__all__ = ["BackupAndRestore", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback",
           "LearningRateScheduler", "ModelCheckpoint", "ReduceLROnPlateau", "TensorBoard", "TerminateOnNaN"]


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
