"""The walk back over a tape's records, by the rules of this package. The walk itself is cyops.walk_back."""
from collections.abc import Callable, Sequence
from typing import Any

import cyops
import cytensor.autodiff.gradients  # noqa: F401 - it fills the registry of rules
from cyops import Record, Strided
from cytensor.autodiff.rules import NO_GRADIENT, RULES


def backpropagate(records: list[Any], targets: Sequence[Strided], seeds: Sequence[Strided | None],
                  sources: Sequence[Strided], *, free: bool,
                  check: Callable[[Record, list[Strided | None]], None] | None = None,
                  ready: Callable[[int, Any, bool], None] | None = None) -> list[Any]:
    """The gradient of the targets, weighted by the seeds, for each source; None where no record leads to it."""
    return cyops.walk_back(records, targets, seeds, sources, RULES, NO_GRADIENT, free=free, check=check,
                           ready=ready)
