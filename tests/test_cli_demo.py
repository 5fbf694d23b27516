"""`cytensor demo`: what a drawing becomes, whom the server answers, and the page in a headless Chromium."""
import base64
import http.client
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest

import cytensor as ct
from cytensor import cli, layers
from cytensor.cli.demo import recognizer, run, server
from cytensor.datasets import mnist

SIDE = recognizer.SIDE


@pytest.fixture(scope="module")
def model():
    """Convolutions trained on a part of the digits, enough to tell most."""
    (x, y), _ = mnist.load_data()
    ct.set_seed(0)
    model = ct.Sequential([layers.Rescaling(1 / 255), layers.Conv2D(8, 3, strides=2, activation="relu", name="edges"),
                           layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(32, activation="relu", name="parts"),
                           layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x[:8000, ..., None], y[:8000], epochs=3, batch_size=64, verbose=0)
    return model


@pytest.fixture
def running(model):
    """A server with the model, in a thread."""
    with server.Server(0) as started:
        started.recognizer = recognizer.Recognizer(model)
        thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def drawn(image):
    """A digit of MNIST as the page would send it: four times as large, in the upper left."""
    ink = np.zeros((SIDE, SIDE), np.uint8)
    big = np.kron(image, np.ones((3, 3), np.uint8))
    ink[:len(big), :len(big)] = big
    return ink


def ask(to, method="POST", path="/recognize", body=None, **headers):
    """(status, headers, JSON or text) of a request."""
    connection = http.client.HTTPConnection(server.ADDRESS, to.server_port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    kind = answer.getheader("Content-Type", "")
    return answer.status, answer, json.loads(content) if kind.startswith("application/json") and content else content


# What a drawing becomes


def test_a_drawing_is_brought_into_the_form_of_mnist():
    ink = np.zeros((SIDE, SIDE), np.uint8)
    ink[10:90, 20:40] = 200                                 # 80 x 20: four times as high as wide
    picture = recognizer.centred(ink, 28, 28)
    rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    assert (len(rows), len(columns)) == (20, 5) and picture.max() == 255
    assert rows[0] == 4 and columns[0] in (11, 12)
    moved = np.roll(ink, (7, 30), axis=(0, 1))
    assert np.array_equal(recognizer.centred(moved, 28, 28), picture)


@pytest.mark.parametrize("ink", [0, 20], ids=["empty", "faint"])
def test_paper_without_ink_is_no_drawing(ink):
    assert recognizer.centred(np.full((SIDE, SIDE), ink, np.uint8), 28, 28) is None


@pytest.mark.parametrize("place", [(0, 0), (111, 111), (50, 0)])
def test_a_single_dot_and_a_drawing_at_the_edge_fit(place):
    ink = np.zeros((SIDE, SIDE), np.uint8)
    ink[place] = 255
    assert recognizer.centred(ink, 28, 28).max() == 255
    ink[:, 0] = ink[-1] = 255                               # mass in a corner of its box
    assert recognizer.centred(ink, 28, 28).any()


@pytest.mark.slow
def test_digits_are_recognised_from_drawings(model):
    recognises = recognizer.Recognizer(model)
    x, y = mnist.load_data()[1]
    right = [np.argmax(recognises.recognize(drawn(image))["probabilities"]) == label
             for image, label in zip(x[:100], y[:100], strict=True)]
    assert sum(right) > 85


def test_hidden_layers_are_those_of_the_network(model):
    ink = drawn(mnist.load_data()[1][0][0])
    found = recognizer.Recognizer(model).recognize(ink)
    assert [layer["name"] for layer in found["layers"]] == ["edges", model.layers[2].name, "parts"]
    picture = recognizer.centred(ink, 28, 28)
    expected = ct.Model(model.inputs, model.layers[1].output).predict(picture[None, ..., None], verbose=0)[0]
    maps = found["layers"][0]["maps"]
    assert (maps["count"], maps["height"], maps["width"]) == (8, 13, 13) == (*expected.shape[::-1][:1], 13, 13)
    shown = np.frombuffer(base64.b64decode(maps["bytes"]), np.uint8).reshape(8, 13, 13)
    assert np.abs(shown - expected.transpose(2, 0, 1) * (255 / expected.max())).max() <= 0.51
    assert found["layers"][2]["units"]["width"] == 32
    assert found["seen"]["bytes"] == base64.b64encode(picture.tobytes()).decode()


def test_a_model_that_is_no_graph_has_probabilities_alone():
    class Own(ct.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(10, activation="softmax")

        def call(self, x):
            return self.dense(x)

    own = Own()
    own(np.zeros((1, 784), np.float32))
    own.compile("sgd", "sparse_categorical_crossentropy")
    found = recognizer.Recognizer(own).recognize(drawn(mnist.load_data()[1][0][0]))
    assert len(found["probabilities"]) == 10 and found["layers"] == []


@pytest.mark.parametrize(("shape", "outputs", "message"), [
    ((4,), 3, "which are no pictures"), ((28, 28, 2), 10, "which are no pictures"),
    ((784,), 1, "must give a probability for each class"),
])
def test_models_of_other_things_are_refused(shape, outputs, message):
    other = ct.Sequential([layers.Input(shape), layers.Flatten(), layers.Dense(outputs)])
    with pytest.raises(ValueError, match=message):
        recognizer.Recognizer(other)


# Whom the server answers


def test_a_drawing_is_answered(running):
    x, y = mnist.load_data()[1]
    status, answer, found = ask(running, body=drawn(x[0]).tobytes())
    assert status == 200 and np.argmax(found["probabilities"]) == y[0]
    assert sum(found["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert answer.getheader("Cache-Control") == "no-store" and answer.getheader("X-Content-Type-Options") == "nosniff"
    empty = ask(running, body=bytes(SIDE * SIDE))[2]
    assert empty == {"probabilities": [], "seen": None, "layers": []}


@pytest.mark.parametrize(("path", "kind"), [("/", "text/html"), ("/?a=b", "text/html"), ("/page.css", "text/css"),
                                            ("/page.js", "text/javascript")])
def test_the_files_of_the_page(running, path, kind):
    status, answer, content = ask(running, "GET", path)
    assert status == 200 and answer.getheader("Content-Type") == f"{kind}; charset=utf-8" and len(content) > 500
    assert "default-src 'self'" in answer.getheader("Content-Security-Policy")
    assert b"http://" not in content and b"https://" not in content
    status, answer, content = ask(running, "HEAD", path)
    assert status == 200 and content == b"" and int(answer.getheader("Content-Length")) > 500


@pytest.mark.parametrize("path", ["/page.py", "/../run.py", "/%2e%2e/run.py", "//etc/passwd", "/page.html"])
def test_nothing_else_is_served(running, path):
    status, _, content = ask(running, "GET", path)
    assert status == 404 and "there is no page" in content["error"]


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("POST", "/", b"", 404), ("GET", "/recognize", None, 405), ("POST", "/recognize", b"short", 400),
    ("POST", "/recognize", b"", 400), ("POST", "/recognize", bytes(SIDE * SIDE + 1), 400), ("PUT", "/", b"", 501),
    ("DELETE", "/", None, 501),
])
def test_other_requests_are_refused(running, method, path, body, status):
    assert ask(running, method, path, body)[0] == status
    assert ask(running, "GET", "/state")[2]["ready"] is True


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999", "", "abc"])
def test_a_length_that_is_not_a_drawings_is_not_read(running, length):
    assert ask(running, body=b"", Content_Length=length)[0] == 400


@pytest.mark.parametrize("host", ["example.com", "example.com:{port}", "127.0.0.1.example.com:{port}", "127.0.0.1:1",
                                  "0.0.0.0:{port}", "192.168.0.5:{port}", ""])
def test_foreign_names_of_the_host_are_refused(running, host):
    status, _, content = ask(running, "GET", "/", Host=host.format(port=running.server_port))
    assert status == 403 and "on this machine is served" in content["error"]


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "127.0.0.1:{port}"])
def test_names_of_this_machine_are_answered(running, host):
    name = host.format(port=running.server_port)
    assert ask(running, "GET", "/state", Host=name, Origin=f"http://{name}")[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize("origin", ["http://example.com", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
def test_pages_from_elsewhere_are_refused(running, origin):
    body = drawn(mnist.load_data()[1][0][0]).tobytes()
    status, _, content = ask(running, body=body, Origin=origin.format(port=running.server_port))
    assert status == 403 and "only pages of" in content["error"]


def test_it_listens_on_the_loopback_address_alone(running):
    assert running.server_address[0] == "127.0.0.1"
    for address in ("192.168.0.7", "10.0.0.1", "::ffff:8.8.8.8", "2001:db8::1", "nonsense"):
        assert not running.verify_request(None, (address, 5)) and not server.is_loopback(address)
    assert running.verify_request(None, ("127.0.0.1", 5))
    handler = types.SimpleNamespace(client_address=("10.0.0.1", 5), server=running, refused=[],
                                    headers={"Host": f"127.0.0.1:{running.server_port}"})
    handler.refuse = lambda status, why: handler.refused.append(status)
    assert server.Handler.is_welcome(handler) is False and handler.refused == [403]


def test_while_the_network_is_trained_the_page_is_there(running):
    trained, running.recognizer, running.state = running.recognizer, None, "40%"
    assert ask(running, "GET", "/state")[2] == {"ready": False, "state": "40%"}
    assert ask(running, "GET", "/")[0] == 200
    status, _, content = ask(running, body=bytes(SIDE * SIDE))
    assert status == 503 and "still being trained" in content["error"]
    running.recognizer = trained


def test_a_browser_that_closes_in_the_middle_is_no_error(running, capfd):
    """In the middle of the request, of the body, and of the answer."""
    head = f"POST /recognize HTTP/1.1\r\nHost: 127.0.0.1:{running.server_port}\r\nContent-Length: {SIDE * SIDE}\r\n\r\n"
    body = drawn(mnist.load_data()[1][0][0]).tobytes()
    for sent in (b"POST /rec", head.encode(), head.encode() + b"\1" * 100, (head.encode() + body) * 20):
        connection = socket.create_connection(("127.0.0.1", running.server_port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")          # closed by a reset
        connection.sendall(sent)
        connection.close()
    time.sleep(0.3)
    assert ask(running, body=body)[0] == 200
    assert capfd.readouterr().err == ""


def test_many_drawings_at_once(running):
    """The model is asked by one at a time, and each gets its own answer."""
    x, _ = mnist.load_data()[1]
    bodies = [drawn(image).tobytes() for image in x[:8]]
    expected = [ask(running, body=body)[2]["probabilities"] for body in bodies]
    found = [None] * len(bodies)

    def one(i):
        found[i] = ask(running, body=bodies[i])[2]["probabilities"]

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


# The command


def test_a_port_in_use_is_said_before_the_training(running, capsys):
    assert cli.main(["demo", "--port", str(running.server_port)]) == 2
    printed = capsys.readouterr()
    assert printed.err == (f"cytensor demo: error: port {running.server_port} is in use; --port names another, and "
                           "--port 0 takes any that is free\n")
    assert not printed.out


@pytest.mark.parametrize(("arguments", "message"), [
    (["--port", "65536"], "must be a whole number from 0 to 65535"), (["--port", "-1"], "0"),
    (["--seconds", "0"], "must be a number above 0"), (["--save", "a.txt"], "must end with .safetensors"),
    (["--model", "no.safetensors"], "no.safetensors"),
])
def test_wrong_arguments(arguments, message, capsys):
    try:
        code = cli.main(["demo", *arguments])
    except SystemExit as end:
        code = end.code
    assert code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize(("per_step", "seconds", "expected"), [
    (0.02, 60, (60000, 6)), (0.02, 9.4, (60000, 1)), (0.02, 1, (6400, 1)), (5.0, 1, (128, 1)), (1e-3, 60, (60000, 127)),
])
def test_the_training_takes_the_time_it_is_given(per_step, seconds, expected):
    assert run.planned(per_step, seconds, 60000) == expected


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("when", ["training", "serving"])
def test_ctrl_c_ends_it(when, tmp_path):
    path = tmp_path / "digits.safetensors"
    seconds = "1" if when == "serving" else "600"
    started = subprocess.Popen(
        [sys.executable, "-m", "cytensor", "demo", "--port", "0", "--seconds", seconds, "--save", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    waited_for, printed = ("Ctrl-C ends" if when == "serving" else "Training on"), ""
    while waited_for not in printed:
        line = started.stdout.readline()
        assert line, started.stderr.read()
        printed += line
    if when == "serving":
        port = int(re.search(r"127\.0\.0\.1:(\d+)/   ", printed)[1])
        kept = socket.create_connection(("127.0.0.1", port))      # a browser that keeps its connection
        body = drawn(mnist.load_data()[1][0][0]).tobytes()
        assert ask(types.SimpleNamespace(server_port=port), body=body)[0] == 200
        assert "Saved. Another time: cytensor demo --model" in printed and path.exists()
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=30)
    if when == "serving":
        kept.close()
        assert started.returncode == 0 and out.endswith("closed\n") and err == ""
    else:
        assert started.returncode == 130 and err == "\ncytensor demo: interrupted\n"
        assert not path.exists()


# In a browser


@pytest.fixture(params=[("light", 1280, "en-US"), ("dark", 390, "ko-KR")], ids=["desktop", "phone"])
def page(request, browser, running):
    scheme, width, locale = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale=locale)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: errors.append(asked.url)
            if not asked.url.startswith((running.url, "data:")) else None)
    page.goto(running.url)
    page.running = running
    page.errors = errors
    yield page
    context.close()
    assert not errors


def shares(page):
    return [float(text.rstrip(" %")) for text in page.locator("#probabilities .share").all_inner_texts()]


def until(page, condition, seconds=20):
    """Wait until an expression is true; the page's own rules forbid it to run text, which wait_for_function needs."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.02)


def draw_seven(page):
    box = page.locator("#paper").bounding_box()
    points = [(0.3, 0.25), (0.5, 0.25), (0.7, 0.25), (0.6, 0.45), (0.5, 0.65), (0.45, 0.8)]
    for i, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


@pytest.mark.slow
def test_a_digit_drawn_by_mouse_is_recognised(page):
    until(page, "document.querySelectorAll('#probabilities li').length === 10")
    assert shares(page) == [0.0] * 10
    draw_seven(page)
    until(page, "document.querySelector('#probabilities .best span')?.textContent === '7'")
    assert page.inner_text("#answer").startswith("7, ") and max(shares(page)) == shares(page)[7] > 50
    assert sum(shares(page)) == pytest.approx(100, abs=1)
    titles = page.locator("#layers h3").all_inner_texts()
    assert len(titles) == 4 and "Conv2D (edges): 13 x 13 x 8" in titles and "Dense (parts): 32" in titles
    assert page.locator(".maps >> nth=1").locator("canvas").count() == 8
    page.click("#undo")
    until(page, "document.querySelectorAll('#layers canvas').length === 0")
    page.click("#example")
    until(page, "document.querySelectorAll('#layers canvas').length > 8")
    page.click("#clear")
    until(page, "document.querySelector('#probabilities .best') === null")
    assert shares(page) == [0.0] * 10


@pytest.mark.slow
def test_the_page_is_accessible_in_both_languages(page):
    """Names, headings in order, nothing wider than the screen; the language can be changed."""
    draw_seven(page)
    page.wait_for_selector("#layers h3")
    seen = set()
    for _ in range(2):
        seen.add((page.get_attribute("html", "lang"), page.inner_text("h1")))
        levels = page.eval_on_selector_all("h1, h2, h3", "some => some.map((one) => Number(one.tagName[1]))")
        assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in itertools.pairwise(levels))
        assert page.eval_on_selector_all("h1, h2, h3, button", "some => some.every((one) => one.innerText.trim())")
        assert page.eval_on_selector_all("[role=img]", "some => some.every((one) => one.getAttribute('aria-label'))")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("#language")
    assert seen == {("en", "Draw a digit"), ("ko", "숫자를 그려 보세요")}


@pytest.mark.slow
def test_the_page_waits_for_the_training_and_says_when_the_server_is_gone(browser, model):
    page = browser.new_context(locale="en-US").new_page()
    started = server.Server(0)
    thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    started.state = "40%, accuracy 91.0%"
    try:
        page.goto(started.url)
        until(page, "document.querySelector('#message').textContent.includes('40%')")
        page.click("#example")
        started.recognizer = recognizer.Recognizer(model)
        until(page, "document.querySelector('#probabilities .best') !== null")
        assert page.inner_text("#message") == ""
    finally:
        started.shutdown()
        thread.join()
        started.server_close()
    page.click("#example")
    until(page, "document.querySelector('#message').textContent.startsWith('The server has ended')")
    page.close()
