"""Writes what the README and the pages show of the command into docs/plots: `python docs/make_screens.py`.

session.svg is a terminal session: the commands run in a terminal of their own, and what they printed is drawn, line
after line (without motion for those who do not want it). demo.png is the page of `cytensor demo` after a 7 was drawn by
mouse, in a headless Chromium; it needs the extra `browser`.
"""
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent / "plots"
COLUMNS, ROWS = 92, 40
COMMANDS = ("cytensor train --epochs 2 --save digits.safetensors", "cytensor predict digits.safetensors --count 5")
CHARACTER, LINE, FONT = 7.8, 18, 13            # pixels
STYLE = """
  text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #e6edf3; white-space: pre; }
  .prompt { fill: #7ee787; }
  @media (prefers-reduced-motion: no-preference) {
    text { animation: appear 0.01s backwards; }
    @keyframes appear { from { opacity: 0; } }
  }
"""


def main(folder=FOLDER):
    with tempfile.TemporaryDirectory() as place:
        lines = [line for command in COMMANDS for line in [f"$ {command}", *printed(command, place), ""]]
        (Path(folder) / "session.svg").write_text(drawn(lines[:-1]), encoding="utf-8")
        picture_of_demo(Path(folder) / "demo.png")


def printed(command, place):
    """The lines that a command leaves on a terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "LINES": str(ROWS), "NO_COLOR": "1"}
    program = [sys.executable, "-m", *command.split()]
    running = subprocess.Popen(program, stdout=slave, stderr=slave, cwd=place, env=environment)
    os.close(slave)
    content = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:                        # closed at the end
            break
        if not part:
            break
        content += part
    os.close(master)
    if running.wait():
        raise RuntimeError(f"{command} failed:\n{content.decode()}")
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", content.decode()).replace("\r\n", "\n")
    return [line.rsplit("\r", 1)[-1].rstrip() for line in text.rstrip().split("\n")]


def drawn(lines):
    """The lines as SVG."""
    width = max(max(map(len, lines)), 60) * CHARACTER + 40
    height = len(lines) * LINE + 60
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">',
             "<title>cytensor train and cytensor predict in a terminal</title>", f"<style>{STYLE}</style>",
             f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#0d1117"/>']
    parts += [f'<circle cx="{20 + 18 * i}" cy="18" r="5" fill="{colour}"/>'
              for i, colour in enumerate(("#ff7b72", "#e3b341", "#7ee787"))]
    for place, line in enumerate(lines):
        if line:
            kind = ' class="prompt"' if line.startswith("$ ") else ""
            parts.append(f'<text x="20" y="{50 + place * LINE}" textLength="{len(line) * CHARACTER:.1f}"{kind} '
                         f'style="animation-delay: {0.15 * place:.2f}s" xml:space="preserve">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def picture_of_demo(path, seconds=20):
    """Train as the demo does, draw a 7 in its page, and take the picture."""
    import argparse

    from playwright.sync_api import sync_playwright

    from cytensor.cli.demo import run
    from cytensor.cli.demo.recognizer import Recognizer
    from cytensor.cli.demo.server import Server

    with Server(0) as server, sync_playwright() as playwright:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        server.recognizer = Recognizer(run.train(server, argparse.Namespace(seed=0, seconds=seconds, save=None)))
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 960, "height": 1020}, locale="en-US")
        page.goto(server.url)
        box = page.locator("#paper").bounding_box()
        points = ((0.28, 0.25), (0.5, 0.23), (0.72, 0.25), (0.62, 0.45), (0.52, 0.62), (0.45, 0.82))
        for place, (x, y) in enumerate(points):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
            if not place:
                page.mouse.down()
        page.mouse.up()
        page.wait_for_selector("#layers h3 >> nth=4")
        page.wait_for_timeout(500)
        page.screenshot(path=path)
        browser.close()
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    main()
