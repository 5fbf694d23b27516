"""The server of the page: on the loopback address alone, and for nobody but pages that it gave out itself.

Refused are other machines (by address), other names for this one (a foreign Host, by which a page elsewhere could reach
the server through its own domain), and requests of pages from elsewhere (a foreign Origin).
"""
import contextlib
import errno
import ipaddress
import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any, ClassVar

import numpy as np

from cytensor.cli.demo.recognizer import SIDE, Recognizer

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost")
FILES = {"/": ("page.html", "text/html"), "/page.css": ("page.css", "text/css"),
         "/page.js": ("page.js", "text/javascript")}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
POSTS = ("/recognize",)
PATIENCE = 10.0                    # seconds for a request to arrive


class Server(ThreadingHTTPServer):
    """What is served: `recognizer`, None while the network is trained, and `state`, a line about the training."""
    daemon_threads = True          # a browser that does not go on with its request does not keep the process
    allow_reuse_address: bool = sys.platform != "win32"
    recognizer: Recognizer | None = None
    state = ""

    def __init__(self, port: int) -> None:
        """Listen at `port`, any free one for 0; OSError that says what to do where the port is in use or forbidden."""
        try:
            super().__init__((ADDRESS, port), Handler)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                why = "is in use" if error.errno == errno.EADDRINUSE else "may not be used"
                raise OSError(f"port {port} {why}; --port names another, and --port 0 takes any that is free") from None
            raise

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether the caller is on this machine."""
        return is_loopback(client_address[0])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that was closed in the middle is no error; others are printed, and the server goes on."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """GET gives the page's files and the state, POST /recognize what the network makes of SIDE * SIDE bytes of ink."""
    server: Server
    protocol_version = "HTTP/1.0"  # a connection for each request: none outlives the server
    timeout: ClassVar[float | None] = PATIENCE
    server_version = "cytensor"
    sys_version = ""

    def do_GET(self) -> None:
        """The page, its style and its script; the state of the training."""
        path = self.path.partition("?")[0]
        if not self.is_welcome():
            return
        if path == "/state":
            self.give_json({"ready": self.server.recognizer is not None, "state": self.server.state})
        elif path in FILES:
            name, kind = FILES[path]
            self.give(HTTPStatus.OK, f"{kind}; charset=utf-8", _read(name))
        else:
            self.refuse(HTTPStatus.METHOD_NOT_ALLOWED if path in POSTS else HTTPStatus.NOT_FOUND,
                        f"there is no page {path}")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """The answer to a drawing."""
        if not self.is_welcome():
            return
        length = self.headers.get("Content-Length", "")
        if self.path not in POSTS:
            self.refuse(HTTPStatus.NOT_FOUND, f"there is nothing to post to at {self.path}")
        elif length != str(SIDE * SIDE):
            self.refuse(HTTPStatus.BAD_REQUEST, f"a drawing is {SIDE} x {SIDE} bytes, {SIDE * SIDE}; got {length!r}")
        elif (recognizer := self.server.recognizer) is None:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the network is still being trained")
        else:
            ink = self.rfile.read(SIDE * SIDE)
            if len(ink) < SIDE * SIDE:
                raise ConnectionError("the drawing broke off")
            self.give_json(recognizer.recognize(np.frombuffer(ink, np.uint8).reshape(SIDE, SIDE)))

    def is_welcome(self) -> bool:
        """Whether the request is addressed to this machine and comes from no page elsewhere; refuses it otherwise."""
        hosts = {f"{name}:{self.server.server_port}" for name in NAMES}
        if self.server.server_port == 80:
            hosts.update(NAMES)
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if not is_loopback(self.client_address[0]) or host.lower() not in hosts:
            self.refuse(HTTPStatus.FORBIDDEN, f"only {self.server.url} on this machine is served; got Host {host!r}")
        elif origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
            self.refuse(HTTPStatus.FORBIDDEN, f"only pages of {self.server.url} are answered; got Origin {origin!r}")
        else:
            return True
        return False

    def give_json(self, content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        """Answer with JSON."""
        self.give(status, "application/json; charset=utf-8", json.dumps(content).encode())

    def refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer with an error; what the request has besides is not read."""
        self.give_json({"error": why}, status)

    def give(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        """Answer with bytes."""
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(content)), **HEADERS}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def finish(self) -> None:
        """Close, also where nobody is there any longer."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().finish()

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing: a line for each stroke would hide the address."""


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _read(name: str) -> bytes:
    return resources.files("cytensor.cli.demo").joinpath(name).read_bytes()
