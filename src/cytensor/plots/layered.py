"""Where the boxes of a graph go: in layers, from left to right, by Graphviz's `dot` or, without it, by grandalf."""
import itertools
import json
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

Point = tuple[float, float]
APART, BESIDE = 46.0, 16.0     # points between two layers, and between two boxes of a layer
SECONDS = 60                   # that dot may take


class Edge(NamedTuple):
    """A route from one box to another."""
    start: int
    stop: int
    label: str


class Placed(NamedTuple):
    """All lengths in points, y upward: the middle of each box, the points of each route, where its label stands."""
    boxes: list[Point]
    routes: list[list[Point]]
    labels: list[Point]
    curved: bool               # the routes are Bezier curves of degree three, else straight from point to point


def place(op: str, sizes: Sequence[Point], edges: Sequence[Edge], label_sizes: Sequence[Point]) -> Placed:
    """Boxes of `sizes` (width, height) such that those of an edge's start stand left of those of its stop.

    ImportError where neither dot nor grandalf is installed.
    """
    if shutil.which("dot") is not None:
        try:
            return _by_dot(sizes, edges, label_sizes)
        except (OSError, subprocess.SubprocessError, ValueError, KeyError):
            pass                               # a broken installation of Graphviz; the library may do
    return _by_grandalf(op, sizes, edges, label_sizes)


def _by_dot(sizes: Sequence[Point], edges: Sequence[Edge], label_sizes: Sequence[Point]) -> Placed:
    lines = [f'digraph {{ rankdir=LR; ranksep="{APART / 72}"; nodesep="{BESIDE / 72}"; '
             "node [shape=box fixedsize=true label=\"\"];"]
    for number, (width, height) in enumerate(sizes):
        lines.append(f'n{number} [width="{width / 72}" height="{height / 72}"];')
    for number, (edge, (width, height)) in enumerate(zip(edges, label_sizes, strict=True)):
        space = f'BORDER="0" FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"'
        label = f"label=<<TABLE {space}><TR><TD></TD></TR></TABLE>>" if edge.label else ""
        lines.append(f"n{edge.start} -> n{edge.stop} [id=e{number} {label}];")
    done = subprocess.run(["dot", "-Tjson"], input="\n".join([*lines, "}"]), capture_output=True, text=True, check=True,
                          timeout=SECONDS)
    found = json.loads(done.stdout)
    boxes = {one["name"]: _points(one["pos"])[0] for one in found["objects"]}
    by_id = {one["id"]: one for one in found.get("edges", ())}
    routes, labels = [], []
    for number in range(len(edges)):
        one = by_id[f"e{number}"]
        end, *curve = _points(one["pos"].removeprefix("e,"))
        routes.append([*curve, end])
        labels.append(_points(one["lp"])[0] if "lp" in one else end)
    return Placed([boxes[f"n{number}"] for number in range(len(sizes))], routes, labels, True)


def _points(text: str) -> list[Point]:
    pairs = [pair.split(",") for pair in text.split()]
    return [(float(x), float(y)) for x, y in pairs]


def _by_grandalf(op: str, sizes: Sequence[Point], edges: Sequence[Edge], label_sizes: Sequence[Point]) -> Placed:
    try:
        from grandalf.graphs import Edge as Line
        from grandalf.graphs import Graph, Vertex
        from grandalf.layouts import SugiyamaLayout, VertexViewer
        from grandalf.routing import EdgeViewer, route_with_lines
    except ImportError as error:
        raise ImportError(f"{op}: the layout of a graph needs Graphviz's dot, or grandalf; install it with: "
                          'pip install "cytensor[graph]"') from error
    if len(sizes) == 1:
        return Placed([(0.0, 0.0)], [], [], False)
    vertices = [Vertex(number) for number in range(len(sizes))]
    for vertex, (width, height) in zip(vertices, sizes, strict=True):
        vertex.view = VertexViewer(w=height, h=width)      # it lays out downward; the axes are exchanged
    lines = [Line(vertices[edge.start], vertices[edge.stop]) for edge in edges]
    for line in lines:
        line.view = EdgeViewer()
    layout: Any = SugiyamaLayout(Graph(vertices, lines).C[0])
    layout.xspace, layout.yspace = BESIDE, APART + max([width for width, _ in label_sizes], default=0.0)
    layout.route_edge = route_with_lines
    layout.init_all(roots=[vertex for vertex in vertices if not vertex.e_in()])
    layout.draw()
    boxes = [(float(vertex.view.xy[1]), -float(vertex.view.xy[0])) for vertex in vertices]
    routes = []
    for line, edge in zip(lines, edges, strict=True):
        bends = [(float(y), -float(x)) for x, y in line.view._pts[1:-1]]
        (x0, y0), (x1, y1) = boxes[edge.start], boxes[edge.stop]
        routes.append([(x0 + sizes[edge.start][0] / 2, y0), *bends, (x1 - sizes[edge.stop][0] / 2, y1)])
    labels = [(x, y + height / 2) for (x, y), (_, height) in zip(map(_middle, routes), label_sizes, strict=True)]
    return Placed(boxes, routes, labels, False)


def _middle(route: Sequence[Point]) -> Point:
    """Of the longest straight piece of a route."""
    pieces = [(abs(b[0] - a[0]) + abs(b[1] - a[1]), a, b) for a, b in itertools.pairwise(route)]
    _, a, b = max(pieces)
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
