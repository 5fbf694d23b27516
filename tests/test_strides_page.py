"""docs/strides.html: its logic in Node beside NumPy's strides, and the page itself in a headless Chromium."""
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parent.parent / "docs"


def node(program):
    """What a program in Node that knows the page's logic gives."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    source = f"const page = require({json.dumps(str(DOCS / 'strides.js'))}); " \
             f"console.log(JSON.stringify((() => {{ {program} }})()));"
    done = subprocess.run(["node", "-e", source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read(cells, shape, strides, offset, language="en"):
    """The cells of the elements, or the error."""
    given = json.dumps({"cells": cells, "shape": shape, "strides": strides, "offset": offset})
    return node(f"try {{ return page.read({given}, page.TEXTS.{language}).elements.map((one) => one.place); }} "
                "catch (error) { return error.message; }")


@pytest.mark.parametrize(("shape", "strides", "offset"), [
    ("4, 6", "6, 1", 0), ("3, 3", "6, -2", 11), ("2,2,3,3", "6,1,6,1", 0), ("5", "0", 7), ("(3, 2)", "(8, 1)", 4),
    ("", "", 23), ("0, 3", "1, 1", 0), ("2, 3, 4", "12, 4, 1", 0), ("4,", "−1,", 3),
])
def test_cells_are_those_of_numpy(shape, strides, offset):
    lengths, steps = ([int(part) for part in text.strip("()").replace("−", "-").split(",") if part.strip()]
                      for text in (shape, strides))
    expected = np.lib.stride_tricks.as_strided(np.arange(24)[offset:], lengths, [8 * step for step in steps])
    assert read(24, shape, strides, offset) == expected.ravel().tolist()


@pytest.mark.slow
@pytest.mark.parametrize(("given", "message"), [
    ((24, "4, 7", "7, 1", 0), "element (3, 3) would lie in cell 24, outside of cells 0 to 23"),
    ((24, "2", "-1", 0), "element (1) would lie in cell -1, outside of cells 0 to 23"),
    ((24, "4, 6", "6", 0), "there must be one stride for each axis; got 2 axes, 1 strides"),
    ((24, "-1", "1", 0), "the shape must not have negative numbers; got -1"),
    ((24, "1.5", "1", 0), "Shape must be whole numbers with commas between them; got '1.5'"),
    ((24, "2", "a", 0), "Strides must be whole numbers with commas between them; got 'a'"),
    ((24, "2", "1", ""), "Offset must be whole numbers with commas between them; got ''"),
    ((24, "1,1,1,1,1", "1,1,1,1,1", 0), "a tensor of at most 4 axes can be drawn; got 5"),
    ((24, "999, 999", "0, 0", 0), "at most 256 elements can be drawn; got 998001"),
    ((0, "1", "1", 0), "the number of cells must lie in [1, 128]; got 0"),
])
def test_wrong_numbers_are_explained_in_both_languages(given, message):
    assert read(*given) == message
    korean = read(*given, language="ko")
    assert any("가" <= letter <= "힣" for letter in korean) and korean != message


def test_both_languages_say_the_same_things():
    assert node("return Object.keys(page.TEXTS.en)") == node("return Object.keys(page.TEXTS.ko)")


def test_every_preset_can_be_drawn():
    found = node("return Object.values(page.PRESETS).map((one) => page.read(one, page.TEXTS.en).elements.length)")
    assert len(found) == 8 and min(found) >= 4


# -- in a browser -----------------------------------------------------------------------------------------------------
@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=["desktop", "phone"])
def page(request, browser):
    scheme, width = request.param
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto((DOCS / "strides.html").as_uri())
    yield page
    assert not errors
    page.close()


def lit(page):
    return page.eval_on_selector_all("#memory .lit", "some => some.map((one) => Number(one.dataset.place))")


def shown(page):
    return page.eval_on_selector_all("#tensor .cell", "some => some.map((one) => Number(one.textContent))")


@pytest.mark.slow
def test_cells_light_up_as_numbers_are_changed(page):
    x = np.arange(24).reshape(4, 6)
    assert shown(page) == x[1:, ::-2].ravel()[:9].tolist() and lit(page) == sorted(shown(page))
    page.fill("#strides", "1, 6")
    page.fill("#offset", "2")
    assert shown(page) == [2, 8, 14, 3, 9, 15, 4, 10, 16] and page.inner_text("#error") == ""
    page.fill("#shape", "3, 9")
    assert page.inner_text("#error") == "element (0, 4) would lie in cell 26, outside of cells 0 to 23"
    assert not lit(page) and not shown(page)
    page.click("text=transpose")
    assert shown(page) == x.T.ravel().tolist() and page.inner_text("#summary") == "24 elements in 24 of 24 cells"
    page.click("text=windows")
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3))[:2, :2]
    assert shown(page) == windows.ravel().tolist() and page.locator(".matrix").count() == 4


@pytest.mark.slow
def test_pointing_at_an_element_shows_its_cell(page):
    page.hover("#tensor .cell >> nth=1")
    assert page.eval_on_selector_all("#memory .pointed", "some => some.map((one) => one.dataset.place)") == ["9"]


@pytest.mark.slow
def test_the_page_in_korean(page):
    page.click("#language")
    assert page.get_attribute("html", "lang") == "ko" and page.inner_text("h1") == "모양, 스트라이드, 오프셋"
    page.fill("#shape", "x")
    assert page.inner_text("#error").startswith("모양: 쉼표로 나눈 정수여야 합니다")
    page.click("#language")
    assert page.inner_text("h1") == "Shape, strides and offset"


@pytest.mark.slow
def test_the_page_is_accessible(page):
    """Every field has a label, headings are in order, nothing is wider than the screen, text has its contrast."""
    assert page.eval_on_selector_all("input", "some => some.every((one) => one.labels[0].innerText.trim())")
    assert page.eval_on_selector_all("h1, h2, h3", "some => some.map((one) => one.tagName)") == ["H1", "H2", "H2", "H2"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    luminance = """(colour) => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = colour;
        c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data].slice(0, 3).map((v) => v / 255)
        .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0); }"""
    page.fill("#offset", "x")
    pairs = page.evaluate(f"""() => {{ const of = {luminance};
        const paper = getComputedStyle(document.body).backgroundColor;
        const back = (one) => {{ const b = getComputedStyle(one).backgroundColor;
            return b === 'rgba(0, 0, 0, 0)' ? paper : b; }};
        return [...document.querySelectorAll('p, h1, h2, label, input, button')].map((one) =>
            [of(getComputedStyle(one).color), of(back(one))]); }}""")
    page.click("#presets >> text=whole")
    pairs += page.evaluate(f"""() => {{ const of = {luminance};
        return [...document.querySelectorAll('.lit')].map((one) =>
            [of(getComputedStyle(one).color), of(getComputedStyle(one).backgroundColor)]); }}""")
    assert len(pairs) == 24 + 48                 # the page, and the cells of 24 elements twice
    for one, two in pairs:
        assert (max(one, two) + 0.05) / (min(one, two) + 0.05) > 4.5
