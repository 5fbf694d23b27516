"""Writes PAGES as notebooks into examples/notebooks, their outputs included: `python docs/make_notebooks.py`.

A listing becomes cells that end where the page shows a result, so that each result is shown by the notebook itself:
tensors and models in their HTML form, figures as pictures, and `fit` with its bar. Needs the extra `notebook`.
"""
import argparse
import doctest
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS.parent / "examples" / "notebooks"
PAGES = ("tutorial", "tutorial.ko", "pictures", "pictures.ko")
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:]+)(#[^)]*)?\)")
FOR_NOTEBOOKS = (
    (re.compile(r"(\.fit\(.*), verbose=0\)"), r"\1)"),                   # the bar is worth seeing
    (re.compile(r"^figure = (ct\.plots\..*)\Z", re.DOTALL | re.MULTILINE), r"figure = \1\nfigure"),
)


def main(folder=FOLDER, pages=PAGES):
    import nbformat

    for page in pages:
        notebook = executed(cells_of((DOCS / f"{page}.md").read_text(encoding="utf-8")))
        text = nbformat.writes(notebook)
        (Path(folder) / f"{page}.ipynb").write_text(text + "\n", encoding="utf-8")
        print(f"{page}.ipynb: {len(notebook.cells)} cells, {len(text) / 1e3:.0f} kB")


def cells_of(page):
    """(kind, text) of each cell: the text between listings as it is, and the listings without prompts and results."""
    cells = []
    for place, part in enumerate(BLOCK.split(page)):
        if place % 2:
            cells += [("code", code) for code in statements(part)]
        else:
            cells += [("markdown", text) for text in sections(LINK.sub(moved, part))]
    return cells


def sections(text):
    """A text, cut before its headings."""
    return [part.strip() for part in re.split(r"^(?=#+ )", text, flags=re.MULTILINE) if part.strip()]


def statements(listing):
    """The code of a listing, cut after each statement whose result the page shows, and after each figure."""
    cut, code = [], ""
    for example in doctest.DocTestParser().get_examples(listing):
        statement = example.source.rstrip("\n")
        for pattern, replacement in FOR_NOTEBOOKS:
            statement = pattern.sub(replacement, statement)
        code += f"\n\n{statement}\n\n\n" if statement.startswith(("def ", "class ")) else f"{statement}\n"
        if example.want or statement.endswith("\nfigure"):
            cut.append(code)
            code = ""
    return [re.sub("\n{3,}", "\n\n", part).strip("\n") for part in [*cut, code] if part]


def moved(found):
    """A link as it leads from examples/notebooks."""
    picture, text, target, anchor = found.groups()
    return f"{picture}[{text}](../../docs/{target}{anchor or ''})"


def executed(cells):
    """A notebook of these cells, run from top to bottom; raises where a cell does."""
    import nbformat
    from nbclient import NotebookClient

    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    made = [make[kind](text, id=f"cell-{place}") for place, (kind, text) in enumerate(cells)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
    NotebookClient(notebook, timeout=300, record_timing=False).execute()
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.validate(notebook)
    return notebook


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", default=PAGES, help="names of pages; all by default")
    sys.exit(main(pages=parser.parse_args().pages))
