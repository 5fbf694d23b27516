"""Pictures: of training (learning curves, images with predictions, confusion matrices, diagrams of models), and of what
tensors and their operations do (cells of memory, points and grids before and after a function, graphs of computations,
the paths of gradient descent).

Drawn with matplotlib (the extra `plot`), which is loaded when something is drawn. Every function makes a figure of its
own and never touches pyplot, so neither the program's current figure nor its backend changes.
"""
from cytensor.plots.animation import animate_points
from cytensor.plots.confusion import plot_confusion_matrix
from cytensor.plots.curves import plot_history
from cytensor.plots.descent import animate_descent, plot_descent
from cytensor.plots.diagram import plot_model
from cytensor.plots.figures import check_path
from cytensor.plots.graph import graph_text, plot_graph
from cytensor.plots.images import show_images
from cytensor.plots.memory import show_layout
from cytensor.plots.overview import plot_predictions
from cytensor.plots.transforms import transform_grid, transform_points

__all__ = ["animate_descent", "animate_points", "check_path", "graph_text", "plot_confusion_matrix", "plot_descent",
           "plot_graph", "plot_history", "plot_model", "plot_predictions", "show_images", "show_layout",
           "transform_grid", "transform_points"]


def __dir__() -> list[str]:
    return [*__all__]
