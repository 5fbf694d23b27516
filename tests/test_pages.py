"""The pages as they are written: both languages have the same, names exist, pictures are made by scripts.

That listings run, links lead somewhere and lines are short is tested in test_documents.py, the built site in
test_site.py.
"""
import re
import runpy
import sys
from pathlib import Path

import pytest

import cytensor as ct
import cytensor.sklearn
from cytensor import layers

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NAV = re.findall(r"\w+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2])
ENGLISH = sorted(path for path in DOCS.glob("*.md") if not path.name.endswith(".ko.md"))
KOREAN = sorted(DOCS.glob("*.ko.md"))
BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)]+)\)")
DIRECTIVE = re.compile(r"^::: .*$", re.MULTILINE)
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
# For who works on the library: their text may be a sentence ahead of its translation.
INSIDE = {"accuracy", "architecture", "convolution", "design", "differences", "distributed", "interoperability",
          "keras", "kernels", "reliability", "scale"}


def english(path):
    return path.with_name(path.name.replace(".ko.md", ".md"))


def without_listings(path):
    return BLOCK.sub("", path.read_text(encoding="utf-8"))


def test_every_page_is_in_both_languages_and_in_the_navigation():
    assert {english(path).name for path in KOREAN} == {path.name for path in ENGLISH} == set(NAV)
    assert len(NAV) == len(set(NAV))


@pytest.mark.parametrize("path", KOREAN, ids=lambda path: path.name)
def test_both_languages_have_the_same_structure(path):
    """The same listings to the letter and headings of the same levels; links, tables and what is referred to too."""
    korean, original = path.read_text(encoding="utf-8"), english(path).read_text(encoding="utf-8")
    assert BLOCK.findall(korean) == BLOCK.findall(original)
    korean, original = without_listings(path), without_listings(english(path))
    assert HEADING.findall(korean) == HEADING.findall(original)
    if english(path).stem not in INSIDE:
        assert DIRECTIVE.findall(korean) == DIRECTIVE.findall(original)
        assert sorted(LINK.findall(korean)) == sorted(LINK.findall(original))
        assert len(ROW.findall(korean)) == len(ROW.findall(original))


@pytest.mark.parametrize("path", KOREAN, ids=lambda path: path.name)
def test_korean_pages_are_in_korean(path):
    """Most letters outside of listings, code and links are Hangul, and so is every heading but those of names."""
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)|<!--.*?-->|^::: .*$|^    .*$", "", without_listings(path), flags=re.MULTILINE)
    assert len(re.findall("[가-힣]", prose)) > len(re.findall("[A-Za-z]", prose)) / 2
    for title in re.findall(r"^#+ (.*)$", prose, re.MULTILINE):
        assert re.search("[가-힣]", title) or re.fullmatch(r"[A-Za-z0-9 -]{2,12}", title), title


def test_the_readme_in_korean_has_listings_of_the_english_one():
    original, korean = (BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
                        for name in ("README.md", "README.ko.md"))
    assert korean == [block for block in original if block in korean] and len(korean) == 3


@pytest.mark.parametrize("path", [*ENGLISH, ROOT / "README.md"], ids=lambda path: path.name)
def test_names_in_the_text_exist(path):
    """`ct.losses.Huber` and `layers.Dense`, also in tables, where no listing runs them."""
    text = path.read_text(encoding="utf-8")
    for name in set(re.findall(r"(?<![\w./])(?:ct|layers)(?:\.[A-Za-z_]\w*)+(?!\.\w|\w)", text)):
        found = {"ct": ct, "layers": layers}[name.partition(".")[0]]
        for part in name.split(".")[1:]:
            assert hasattr(found, part), f"{path.name}: {name}"
            found = getattr(found, part)


def made_by(script, folder):
    runpy.run_path(str(DOCS / script))["main"](folder)
    return {path.name for path in folder.iterdir()}


def pictures_of(page):
    return set(re.findall(r"\]\(plots/([^)]+)\)", (DOCS / page).read_text(encoding="utf-8")))


@pytest.mark.slow
@pytest.mark.parametrize(("script", "page"), [("make_pictures.py", "pictures.md"),
                                              ("make_kernel_pictures.py", "how_fast.md")])
def test_the_pictures_of_a_page_can_be_made_anew(script, page, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    assert made_by(script, tmp_path) == pictures_of(page)


def test_every_picture_is_used_and_described():
    """In a page, or in the README; an alt text says what is seen, in the page's language."""
    texts = {path: path.read_text(encoding="utf-8") for path in (*ENGLISH, *KOREAN, ROOT / "README.md",
                                                                 ROOT / "README.ko.md")}
    used = set()
    for path, text in texts.items():
        for alt, name in re.findall(r"!\[([^\]]*)\]\((?:docs/)?plots/([^)]+)\)", text):
            used.add(name)
            assert len(alt) > 15 and (".ko." not in path.name or re.search("[가-힣]", alt)), (path.name, name)
    assert used == {path.name for path in (DOCS / "plots").iterdir()}


def test_the_terminal_session_is_drawn_from_what_was_printed():
    screens = runpy.run_path(str(DOCS / "make_screens.py"))
    drawn = screens["drawn"](["$ cytensor info", "", "a < b & c"])
    assert 'class="prompt"' in drawn and "a &lt; b &amp; c" in drawn and drawn.count("<text") == 2
    stored = (DOCS / "plots" / "session.svg").read_text(encoding="utf-8")
    for command in screens["COMMANDS"]:
        assert f">$ {command}</text>" in stored
    assert "Test accuracy: 0.9" in stored and "prefers-reduced-motion" in stored


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")
def test_a_command_is_recorded_as_a_terminal_shows_it(tmp_path):
    screens = runpy.run_path(str(DOCS / "make_screens.py"))
    assert screens["printed"]("cytensor --version", str(tmp_path)) == [f"cytensor {ct.__version__}"]
    with pytest.raises(RuntimeError, match="unknown failed"):
        screens["printed"]("cytensor unknown", str(tmp_path))


def test_the_newcomers_path_is_that_of_the_page():
    """The programs that tests/newcomer.py runs are the page's listings, what they show asserted."""
    newcomer = runpy.run_path(str(ROOT / "tests" / "newcomer.py"))
    first, last = newcomer["listings"]((ROOT / newcomer["PAGE"]).read_text(encoding="utf-8"))
    assert "model.fit(" in first and "load_model" not in first and last.startswith(first)
    assert "assert str(accuracy > 0.9) == 'True'" in first and last.count("assert ") == 2
    compile(last, "listings", "exec")


def hooks():
    return runpy.run_path(str(DOCS / "site_hooks.py"))


def test_links_out_of_the_pages_become_names():
    text = "[guide](../CONTRIBUTING.md), [`a.py`](../a.py) and [page](page.md)"
    assert hooks()["on_page_markdown"](text) == "guide (`CONTRIBUTING.md`), `a.py` and [page](page.md)"


def test_the_page_of_benchmarks_has_the_tables():
    page = hooks()["on_page_markdown"]((DOCS / "benchmarks.md").read_text(encoding="utf-8"))
    assert "## Targets" in page and "../docs" not in page and page.count("\n# ") == 0 and page.startswith("# ")
