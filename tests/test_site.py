"""The site: both languages have the same listings; built without warnings, and every page looked at in Chromium.

That its listings run, its links lead somewhere and its lines are short is tested in test_documents.py.
"""
import functools
import http.server
import itertools
import os
import re
import runpy
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
KOREAN = sorted(DOCS.glob("*.ko.md"))
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
NAV = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)]+)\)")


def english(path):
    return path.with_name(path.name.replace(".ko.md", ".md"))


def test_the_pages_for_newcomers_are_in_both_languages():
    assert {path.name for path in KOREAN} == {"index.ko.md", "tutorial.ko.md"}


@pytest.mark.parametrize("path", KOREAN, ids=lambda path: path.name)
def test_both_languages_have_the_same_structure(path):
    """The same listings to the letter, headings of the same levels, the same links."""
    korean, original = path.read_text(encoding="utf-8"), english(path).read_text()
    assert BLOCK.findall(korean) == BLOCK.findall(original)
    for pattern in (HEADING, LINK):
        assert pattern.findall(BLOCK.sub("", korean)) == pattern.findall(BLOCK.sub("", original))
    prose = BLOCK.sub("", korean)
    assert len(re.findall("[가-힣]", prose)) > len(re.findall("[A-Za-z]", prose)) / 2


def test_the_readme_in_korean_has_listings_of_the_english_one():
    original = BLOCK.findall((ROOT / "README.md").read_text())
    korean = BLOCK.findall((ROOT / "README.ko.md").read_text(encoding="utf-8"))
    assert korean == [block for block in original if block in korean] and len(korean) == 3


def test_the_pictures_of_the_page_can_be_made_anew(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    runpy.run_path(str(DOCS / "make_pictures.py"))["main"](tmp_path)
    made = {path.name for path in tmp_path.iterdir()}
    named = set(re.findall(r"\]\(plots/([^)]+)\)", (DOCS / "pictures.md").read_text()))
    assert made == named == {"layout.png", "dense_relu.png", "graph.png", "descent.png"}


def test_links_out_of_the_pages_become_names():
    sys.path.insert(0, str(DOCS))
    try:
        from site_hooks import on_page_markdown
    finally:
        sys.path.remove(str(DOCS))
    text = "[guide](../CONTRIBUTING.md), [`a.py`](../a.py) and [page](page.md)"
    assert on_page_markdown(text) == "guide (`CONTRIBUTING.md`), `a.py` and [page](page.md)"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site, served on loopback: its address."""
    for module in ("mkdocs", "material", "mkdocstrings", "mkdocs_static_i18n"):
        pytest.importorskip(module, reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)], cwd=ROOT,
                          capture_output=True, text=True, timeout=300, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *given):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", ["", "ko/"], ids=["English", "Korean"])
def test_every_page_is_whole(site, browser, width, language):
    """No error, nothing fetched from elsewhere, one h1, headings in order, alt texts, nothing wider than the screen."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    # Without a map the theme's switch of languages leads to the first page; there is one of the English pages alone.
    page.on("response", lambda response: errors.append(response.url)
            if response.status >= 400 and not response.url.endswith("/sitemap.xml") else None)
    page.goto(f"{site}/{language}index.html")
    links = page.eval_on_selector_all(".md-nav--primary a.md-nav__link", "some => some.map((one) => one.href)")
    addresses = sorted({link.split("#")[0] for link in links})
    assert len(addresses) == len(re.findall(r"\w+\.md", NAV))
    for address in addresses:
        page.goto(address)
        levels = page.eval_on_selector_all("article h1, article h2, article h3, article h4",
                                           "some => some.map((one) => Number(one.tagName[1]))")
        assert levels[0] == 1 and levels.count(1) == 1, address
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), address
        assert page.eval_on_selector_all("img", "some => some.every((one) => one.alt)"), address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert page.get_attribute("html", "lang") == ("ko" if language else "en"), address
    assert not errors, errors
    assert not [url for url in asked if not url.startswith((site, "data:", "blob:"))]
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "word", "title"), [("", "broadcasting", "tutorial.html"),
                                                         ("ko/", "그래디언트", "ko/tutorial.html")])
def test_search_finds_pages(site, browser, language, word, title):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site}/{language}index.html")
    page.click(".md-search__input")
    page.keyboard.type(word, delay=20)
    page.wait_for_selector(".md-search-result__link", timeout=20000)
    found = page.eval_on_selector_all(".md-search-result__link", "some => some.map((one) => one.href)")
    assert any(title in link for link in found), found
    page.close()
