"""Symbolic tensors: what a model that is a graph is written with.

    tensors.py      KerasTensor: a shape, a dtype and a name, and no values
    nodes.py        Node: one call of a layer or function on them; Function: an op in a graph
    shapes.py       the shape and dtype that a call gives
    functions.py    functions and operators on KerasTensors

Layers stand on this room, graphs of models (models/graph.py) on layers. It stands on ops and tapes.
"""
from cytensor.symbolic.functions import FUNCTIONS, deferrable
from cytensor.symbolic.nodes import Function, Node, is_symbolic, symbolic_in
from cytensor.symbolic.tensors import KerasTensor

__all__ = ["FUNCTIONS", "Function", "KerasTensor", "Node", "deferrable", "is_symbolic", "symbolic_in"]
