"""`keras.applications` is not here: importing it, or a module in it, says why."""
from cytensor.absent import ABSENT

REASON = next(group.reason for group in ABSENT[""] if "applications" in group.names.split())

raise ImportError("cytensor.keras.applications: a pretrained network is built by hand, and takes Keras's weights by "
                  f"load_weights, PyTorch's by saving.load_pytorch_weights; applications: {REASON}")
