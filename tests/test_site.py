"""The built site: without warnings, every link and anchor leads somewhere, and every page looked at in Chromium.

The HTML itself is checked wherever the extra `docs` is installed; what needs a browser is skipped without one.
"""
import functools
import html.parser
import http.server
import importlib
import itertools
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

ROOT = Path(__file__).parent.parent
PAGES = re.findall(r"(\w+)\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2])
LANGUAGES = {"": "en", "ko/": "ko"}
MODULES = {"ops": ["ops"], "layers": ["layers"], "losses": ["losses", "metrics"], "callbacks": ["callbacks"],
           "optimizers": ["optimizers", "optimizers.schedules"], "plots": ["plots"], "models": ["models"],
           "files": ["saving", "utils"], "weights": ["initializers", "regularizers", "constraints", "activations"]}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the site was built."""
    for module in ("mkdocs", "material", "mkdocstrings", "mkdocs_static_i18n"):
        pytest.importorskip(module, reason="the extra docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)], cwd=ROOT,
                          capture_output=True, text=True, timeout=600, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr
    return folder


class Page(html.parser.HTMLParser):
    """What a page has: headings of the article, pictures, links, places that links may name, and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.levels, self.pictures, self.links, self.places, self.loaded = [], [], [], set(), []
        self.language, self.depth = None, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "html":
            self.language = found.get("lang")
        elif tag == "article":
            self.depth += 1
        elif re.fullmatch("h[1-6]", tag) and self.depth:
            self.levels.append(int(tag[1]))
        elif tag == "img":
            self.pictures.append(found.get("alt") or "")
        elif tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe", "source") and found.get("src"):
            self.loaded.append(found["src"])
        if tag == "link" and found.get("rel") != "canonical" and found.get("href"):
            self.loaded.append(found["href"])

    def handle_endtag(self, tag):
        self.depth -= tag == "article"


@functools.cache
def parsed(path):
    return Page(path.read_text(encoding="utf-8"))


def addressed(folder, language):
    return [folder / language / f"{page}.html" for page in PAGES]


# The HTML


@pytest.mark.parametrize("language", LANGUAGES, ids=LANGUAGES.get)
def test_every_page_is_there_with_headings_in_order_and_alt_texts(folder, language):
    for path in addressed(folder, language):
        page = parsed(path)
        assert page.language == LANGUAGES[language], path
        assert page.levels[0] == 1 and page.levels.count(1) == 1, path
        assert all(after - before <= 1 for before, after in itertools.pairwise(page.levels)), path
        assert all(page.pictures), path


@pytest.mark.parametrize("language", LANGUAGES, ids=LANGUAGES.get)
def test_every_link_and_anchor_leads_somewhere(folder, language):
    outside = set()
    for path in addressed(folder, language):
        for link in parsed(path).links:
            target = urlsplit(urljoin(path.as_uri(), link))
            if target.scheme != "file":
                outside.add(target.netloc)
                continue
            file = Path(unquote(target.path))
            file = file / "index.html" if file.is_dir() else file
            assert file.is_relative_to(folder) and file.exists(), (path.name, link)
            assert not target.fragment or unquote(target.fragment) in parsed(file).places, (path.name, link)
    assert outside <= {"data-apis.org", "squidfunk.github.io", "docs.python.org", "no-color.org"}, outside


@pytest.mark.parametrize("language", LANGUAGES, ids=LANGUAGES.get)
def test_nothing_is_loaded_from_elsewhere(folder, language):
    for path in addressed(folder, language):
        assert not [address for address in parsed(path).loaded if urlsplit(address).netloc], path


@pytest.mark.parametrize("language", LANGUAGES, ids=LANGUAGES.get)
def test_the_reference_has_every_public_name_with_a_table_of_its_arguments(folder, language):
    for page, modules in MODULES.items():
        text = (folder / language / f"reference_{page}.html").read_text(encoding="utf-8")
        places = parsed(folder / language / f"reference_{page}.html").places
        for name in modules:
            module = importlib.import_module(f"cytensor.{name}")
            for entry in {*module.__all__} - {"get", "serialize", "deserialize"}:      # made for each module
                found = getattr(module, entry)
                if getattr(found, "__name__", None) == entry and callable(found):            # no other name of another
                    assert f"cytensor.{name}.{entry}" in places, f"{name}.{entry}"
        assert text.count("See the text.") <= 2, page          # for arguments of the last hours
        assert text.count("doc-section-title") > 5, page
    text = (folder / language / "reference_layers.html").read_text(encoding="utf-8")
    units = re.search(r"<code>units</code>\s*</td>(.*?)</tr>", text, re.DOTALL)[1]
    assert "Must be an integer of at least 1." in units and "required" in units


# In a browser


@pytest.fixture(scope="module")
def site(folder):
    """The site, served on loopback: its address."""
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


@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", LANGUAGES, ids=LANGUAGES.get)
def test_every_page_is_clicked_through(site, browser, width, language):
    """By the navigation: no error, nothing fetched from elsewhere, nothing wider than the screen."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    errors, asked = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    # Without a map the theme's switch of languages leads to the first page; there is one of the English pages alone.
    page.on("response", lambda response: errors.append(response.url)
            if response.status >= 400 and not response.url.endswith("/sitemap.xml") else None)
    page.goto(f"{site}/{language}index.html")
    links = page.eval_on_selector_all(".md-nav--primary a.md-nav__link", "some => some.map((one) => one.href)")
    addresses = {link.split("#")[0] for link in links}
    assert addresses == {f"{site}/{language}{name}.html" for name in PAGES}
    for address in sorted(addresses):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
        assert page.eval_on_selector_all("article img", "some => some.every((one) => one.complete && one.naturalWidth)")
    assert not errors, errors
    assert not [url for url in asked if not url.startswith((site, "data:", "blob:"))]
    page.close()


@pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desktop"])
def test_the_language_is_changed_on_the_same_page(site, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(f"{site}/saving.html")
    page.hover(".md-header .md-select button")
    page.click(".md-select__link[hreflang=ko]")
    page.wait_for_url(f"{site}/ko/saving.html")
    assert "저장" in page.inner_text("h1")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES, ids=LANGUAGES.get)
def test_text_has_its_contrast(site, browser, language, scheme):
    """4.5 to 1, and 3 to 1 for large letters, as WCAG 2.1 AA asks, of every text in article and navigation."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    for name in ("index", "errors", "how_fast", "reference_optimizers", "from_numpy"):
        page.goto(f"{site}/{language}{name}.html")
        low = page.evaluate(CONTRAST)
        assert not low, (name, low[:5])
    page.close()


@pytest.mark.parametrize("served", [True, False], ids=["served", "opened as files"])
@pytest.mark.parametrize(("language", "word", "title"), [("", "broadcasting", "tutorial.html"),
                                                         ("", "EarlyStopping", "reference_callbacks.html"),
                                                         ("ko/", "그래디언트", "ko/tutorial.html")])
def test_search_finds_pages(site, folder, browser, language, word, title, served):
    """Without a network, and without a server too."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{site if served else folder.as_uri()}/{language}index.html")
    page.click(".md-search__input")
    page.keyboard.type(word, delay=20)
    page.wait_for_selector(".md-search-result__link", timeout=90000)
    found = page.eval_on_selector_all(".md-search-result__link", "some => some.map((one) => one.href)")
    assert any(f"/{title}" in link for link in found), found
    assert not errors
    page.close()


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const parts = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = (one) => { const all = [];
    for (let e = one; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
      if (c[3]) all.push(c); if (c[3] === 1) break; }
    return all.reverse().reduce((under, top) => over(top, under), [255, 255, 255]); };
  const low = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    const one = node.parentElement;
    if (!node.textContent.trim() || !one.closest("article, .md-nav") || one.closest(".headerlink, [hidden]")) continue;
    const style = getComputedStyle(one);
    if (!one.offsetParent || style.visibility === "hidden" || style.opacity === "0") continue;
    const back = paper(one), ink = over(parts(style.color), back), [a, b] = [light(ink), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) low.push([ratio.toFixed(2), node.textContent.trim().slice(0, 30), one.className,
      one.tagName, style.color]);
  }
  return low;
}"""
