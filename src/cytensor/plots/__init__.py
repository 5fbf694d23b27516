"""Pictures of training: learning curves, images with predictions, confusion matrices, diagrams of models.

Drawn with matplotlib (the extra `plot`), which is loaded when something is drawn. Every function makes a figure of its
own and never touches pyplot, so neither the program's current figure nor its backend changes.
"""
from cytensor.plots.confusion import plot_confusion_matrix
from cytensor.plots.curves import plot_history
from cytensor.plots.diagram import plot_model
from cytensor.plots.figures import check_path
from cytensor.plots.images import show_images
from cytensor.plots.overview import plot_predictions

__all__ = ["check_path", "plot_confusion_matrix", "plot_history", "plot_model", "plot_predictions", "show_images"]


def __dir__() -> list[str]:
    return [*__all__]
