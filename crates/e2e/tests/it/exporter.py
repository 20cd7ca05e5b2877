"""What a service exposes to Prometheus: one of each kind, another value at each scrape.

Run as: exporter.py <port>. Speaks the protobuf exposition, which is the only one that has native histograms.
"""

import math
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TYPE = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
COUNTER, GAUGE, HISTOGRAM = 0, 1, 4


def varint(number):
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def integer(field, number):
    return varint(field << 3) + varint(number)


def signed(field, number):
    return integer(field, (number << 1) ^ (number >> 63))


def double(field, number):
    return varint(field << 3 | 1) + struct.pack("<d", number)


def nested(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def label(name, value):
    return nested(1, nested(1, name) + nested(2, value))


def exemplar(value, scrape):
    now = time.time()
    stamp = integer(1, int(now)) + integer(2, int(now % 1 * 1e9))
    return label("trace_id", f"trace-{scrape}") + double(2, value) + nested(3, stamp)


def family(name, help, kind, metrics):
    body = nested(1, name) + nested(2, help) + integer(3, kind)
    body += b"".join(nested(4, metric) for metric in metrics)
    return varint(len(body)) + body


def classic(scrape):
    bounds = [(0.1, scrape), (0.5, 3 * scrape), (math.inf, 4 * scrape)]
    buckets = b"".join(nested(3, integer(1, count) + double(2, bound)) for bound, count in bounds)
    return integer(1, 4 * scrape) + double(2, 1.25 * scrape) + buckets


def native(scrape):
    head = integer(1, 6 * scrape) + double(2, 2.5 * scrape) + signed(5, 1) + double(6, 0.001) + integer(7, scrape)
    spans = nested(12, signed(1, -1) + integer(2, 2)) + nested(12, signed(1, 2) + integer(2, 1))
    # Counts 2, 1 and 2 times the scrape's number, as differences.
    return head + spans + signed(13, 2 * scrape) + signed(13, -scrape) + signed(13, scrape)


def exposition(scrape):
    counters = [
        label("route", f"/r{route}") + nested(3, double(1, scrape * (route + 1)) + nested(2, exemplar(0.5, scrape)))
        for route in range(20)
    ]
    return b"".join(
        [
            family("app_requests_total", "Requests served.", COUNTER, counters),
            family("app_load", "How busy it is.", GAUGE, [nested(2, double(1, round(math.sin(scrape), 3)))]),
            family("app_latency_seconds", "How long it took.", HISTOGRAM, [nested(7, classic(scrape))]),
            family("app_native_seconds", "The same, natively.", HISTOGRAM, [nested(7, native(scrape))]),
        ]
    )


class Handler(BaseHTTPRequestHandler):
    scrapes = 0

    def do_GET(self):
        Handler.scrapes += 1
        body = exposition(Handler.scrapes)
        self.send_response(200)
        self.send_header("Content-Type", TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
