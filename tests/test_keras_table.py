"""docs/keras.md names what exists and nothing else, and leaves nothing out."""
import re
from pathlib import Path

import cytensor as ct
from cytensor import keras
from cytensor.models import Sequential

PAGE = Path(__file__).parent.parent / "docs" / "keras.md"


def rows():
    for line in PAGE.read_text(encoding="utf-8").split("| Of | Left out")[0].splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and "`" in cells[1]:
            yield cells[0].strip("`"), re.findall(r"`(\w+)`", cells[1])


def test_the_table_is_true():
    areas = dict(rows())
    assert len(areas) == 20
    for area, names in areas.items():
        assert names == sorted(names) or area in ("Optimizer options", "utils"), area
        if area == "Model methods":
            missing = [name for name in names if not callable(getattr(Sequential, name, None))]
        elif area == "Optimizer options":
            optimizer = ct.optimizers.Adam()
            missing = [name for name in names if not hasattr(optimizer, name)]
        else:
            module = keras
            for part in area.split("."):
                module = getattr(module, part)
            missing = [name for name in names if not hasattr(module, name)]
            public = {name for name in module.__all__ if name[0].isupper() or area in ("activations", "utils")}
            assert public - {"get"} <= set(names), (area, public - set(names))
        assert not missing, (area, missing)
