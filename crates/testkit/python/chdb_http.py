"""A new ClickHouse's engine behind what inserts need of its HTTP interface: usage: chdb_http.py PORT FOLDER.

Statements are the engine's own, so are its exceptions and what it reads of a request's body. What is not the real
thing: the status of an exception (always 500), users, and settings, which are ignored.
"""

import pathlib
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from chdb import session

folder = pathlib.Path(sys.argv[2])
engine = session.Session(str(folder / "data"))
body_file = folder / "body"
# Connections are kept open, so each has a thread; the engine has one session and one file.
turn = threading.Lock()
COMPRESSION = {"gzip": "gzip", "zstd": "zstd", None: "none"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text, headers=()):
        body = text.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, "Ok.\n")

    def do_POST(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        statement = query.get("query")
        if statement is None:
            statement = body.decode()
        with turn:
            self.answer(*self.run(statement, body))

    def run(self, statement, body):
        insert = re.fullmatch(r"(INSERT INTO .*) FORMAT (\w+)", statement)
        if insert:
            body_file.write_bytes(body)
            compression = COMPRESSION[self.headers.get("Content-Encoding")]
            statement = f"{insert[1]} FROM INFILE '{body_file}' COMPRESSION '{compression}' FORMAT {insert[2]}"
        try:
            result = engine.query(statement, "TabSeparatedRaw")
            return 200, result.bytes().decode() if result else ""
        except Exception as error:
            text = str(error)
            code = re.search(r"Code: (\d+)", text)
            headers = [("X-ClickHouse-Exception-Code", code[1])] if code else []
            return 500, text, headers


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
