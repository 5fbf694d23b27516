"""What MkDocs calls while it builds the site: links out of docs/ become plain names, for the site has only docs/, and
the page of benchmarks gets the tables that the benchmarks wrote.
"""
import re
from pathlib import Path

OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)#]+)[^)]*\)")
RESULTS = Path(__file__).parent.parent / "benchmarks" / "RESULTS.md"
PLACE = "<!-- benchmarks/RESULTS.md -->"


def on_page_markdown(markdown, **given):
    """A page as the site shows it."""
    if PLACE in markdown:
        markdown = markdown.replace(PLACE, results())
    return OUTSIDE.sub(plain, markdown)


def plain(found):
    """`[text](../file)` as text and the file's name in the repository."""
    text, path = found.groups()
    return text if text.strip("`") == path else f"{text} (`{path}`)"


def results():
    """The text of benchmarks/RESULTS.md without its title and its plots, which the page has already."""
    text = RESULTS.read_text(encoding="utf-8").partition("\n")[2]
    return re.sub(r"^!\[[^\]]*\]\([^)]*\)\n", "", text, flags=re.MULTILINE).replace("](../docs/", "](")
