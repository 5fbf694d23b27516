"""Models as ONNX files: what other programs run without cytensor.

graph.py is a graph of ONNX that grows; walk.py goes through a model; layers.py, spatial.py, activations.py and
functions.py are the tables of what each layer and function becomes. onnx itself is an extra, imported when a file is
written. Imported by models; imports layers.
"""
from cytensor.export.onnx_file import export_onnx

__all__ = ["export_onnx"]
