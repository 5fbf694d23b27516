"""examples/notebooks: they are the pages, complete with outputs, and run from top to bottom to the same outputs."""
import json
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples" / "notebooks"
MAKER = runpy.run_path(str(ROOT / "docs" / "make_notebooks.py"))
PAGES = MAKER["PAGES"]


def read(page):
    return json.loads((FOLDER / f"{page}.ipynb").read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def plain(cell):
    """What a cell gave as text: neither what took time nor pictures, which versions of matplotlib draw differently."""
    texts = ["".join(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in cell["outputs"]]
    return [re.sub(r"\d+s \d+(us|ms|s)/step", "TIME", re.sub(r"0x[0-9a-f]+", "", text)) for text in texts]


def test_every_page_has_its_notebook():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_notebook_is_its_page(page):
    """So a changed page asks for `make notebooks`."""
    cells = MAKER["cells_of"]((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"))
    assert [(cell["cell_type"], source(cell)) for cell in read(page)["cells"]] == cells
    code = "\n".join(text for kind, text in cells if kind == "code")
    assert ">>>" not in code and "verbose=0)" not in re.sub(r"(evaluate|predict)\(.*\)", "", code)
    compile(code, page, "exec")


@pytest.mark.parametrize("page", PAGES)
def test_outputs_are_included(page):
    cells = [cell for cell in read(page)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {kind for cell in cells for output in cell["outputs"] for kind in output.get("data", {})}
    assert {"text/plain", "image/png" if "pictures" in page else "text/html"} <= kinds
    assert not any(output["output_type"] == "error" for cell in cells for output in cell["outputs"])
    if "tutorial" in page:
        shown = json.dumps(cells)
        assert "<progress" in shown and "Tensor shape=(2, 3)" in shown and "Param #" in shown


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_the_pages(page):
    text = "\n".join(source(cell) for cell in read(page)["cells"] if cell["cell_type"] == "markdown")
    for target in re.findall(r"\]\(([^)#:]+)", text):
        assert (FOLDER / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_notebooks_run(page, tmp_path, monkeypatch):
    pytest.importorskip("nbclient", reason="the extra notebook is not installed")
    pytest.importorskip("ipykernel", reason="the extra notebook is not installed")
    if "pictures" in page:
        pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    stored = read(page)
    ran = MAKER["executed"]([(cell["cell_type"], source(cell)) for cell in stored["cells"]])
    for before, after in zip(stored["cells"], ran["cells"], strict=True):
        if before["cell_type"] == "code":
            assert plain(before) == plain(after), source(before)
