"""What JSON Schema has no words for, told to schemathesis.

A description says what a body is made of as far as a schema can. That a timestamp is near the clock, that buckets are
cumulative, that a body is compressed as its header says, or what a line of InfluxDB is, it cannot. So each request that
is meant to be good is made so here, just before it is sent. Requests that are meant to be bad are left as they are.
"""

import gzip
import json
import os
import random
import re
import struct
import time
import uuid
import zlib

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NOT_SET

# Whether bodies in formats of their own are left as wild as they are generated: then nobody says that they are good.
IS_WILD = os.environ.get("OPENAPI_WILD") == "1"

PROTOBUF = "application/x-protobuf"
EXPOSITION = "application/vnd.google.protobuf"
OPENMETRICS = "application/openmetrics-text"
EXPRESSIONS = ["up", "tried{a=~'b.*'}", "sum by (host) (rate(tried_text[5m]))", "1 + 1", "count(tried) > 0"]
SELECTORS = ["up", "tried{a!='x'}", "{__name__=~'tried.*'}"]
EXPLAINED = ["/metrics", "/write?precision=s", "/api/v1/write", "/v1/metrics", "/tenants/a/api/put?details"]
EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

for media_type in [PROTOBUF, EXPOSITION, "application/grpc"]:
    schemathesis.openapi.media_type(media_type, st.binary(max_size=200))


def as_bytes(characters):
    return characters.encode("utf-8", "replace")


for media_type in [OPENMETRICS, "application/x-ndjson"]:
    schemathesis.openapi.media_type(media_type, st.text(max_size=200).map(as_bytes))


def now_ms():
    return int(time.time() * 1000)


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def text(number, value):
    return field(number, value.encode())


def double(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def whole(number, value):
    return varint(number << 3) + varint(value)


def snappy(data):
    """A block of literals, which every reader takes."""
    out = varint(len(data))
    for at in range(0, len(data), 60):
        part = data[at : at + 60]
        out += bytes([(len(part) - 1) << 2]) + part
    return out


def remote_write():
    labels = field(1, text(1, "__name__") + text(2, "tried")) + field(1, text(1, "n") + text(2, uuid.uuid4().hex[:2]))
    return field(1, labels + field(2, double(1, 1.5) + whole(2, now_ms())))


def otlp():
    point = varint(3 << 3 | 1) + struct.pack("<Q", now_ms() * 1_000_000) + double(4, 2.5)
    metric = text(1, "tried.otlp") + field(5, field(1, point))
    return field(1, field(2, field(2, metric)))


def datadog():
    point = double(1, 3.5) + whole(2, now_ms() // 1000)
    return field(1, text(2, "tried.datadog") + field(4, point) + whole(5, 3))


def exposition():
    metric = field(2, double(1, 4.5))
    family = text(1, "tried_protobuf") + whole(3, 1) + field(4, metric)
    return varint(len(family)) + family


def own_format(path, media_type):
    """A good body of a format that a schema does not describe; none where one does."""
    page = b"# TYPE tried_text gauge\ntried_text{a=\"b\"} 5.5\n"
    if media_type == PROTOBUF:
        if "series" in path:
            return datadog()
        if "sketches" in path:
            return b""
        return otlp() if path == "/v1/metrics" else remote_write()
    if media_type == "application/grpc":
        message = otlp()
        return b"\x00" + struct.pack(">I", len(message)) + message
    if media_type == EXPOSITION:
        return exposition()
    if media_type == OPENMETRICS:
        return page + b"# EOF\n"
    if media_type == "application/x-ndjson":
        line = {"metric": {"__name__": "tried_lines"}, "values": [1], "timestamps": [now_ms()]}
        return json.dumps(line).encode()
    if media_type == "text/plain":
        return b"tried,a=b value=6.5" if "write" in path else page
    return None


def plausible_time(at_ms):
    # Near the clock, and as varied as what was generated.
    return now_ms() - abs(at_ms) % 86_400_000


def make_cumulative(value):
    buckets = value.get("buckets")
    if not isinstance(buckets, dict):
        quantiles = value.get("quantiles")
        if isinstance(quantiles, dict) and not (set(value) & {"sum", "count"}):
            value["sum"] = 1.0
        if isinstance(quantiles, dict):
            value["quantiles"] = {str(float(key)): number for key, number in quantiles.items()}
        return
    bounds = {}
    for key in buckets:
        bounds[float(key)] = key
    counts = sorted(buckets[key] for key in bounds.values())
    ordered = [bounds[bound] for bound in sorted(bounds)]
    value["buckets"] = dict(zip(ordered, counts))
    most = counts[-1] if counts else 0
    value.pop("quantiles", None)
    value["count"] = most
    value["buckets"]["+Inf"] = most


def good_batch(body):
    if not (isinstance(body, dict) and isinstance(body.get("metrics"), list)):
        return body
    for sample in body["metrics"]:
        if not isinstance(sample, dict):
            continue
        at_ms = sample.get("timestamp")
        is_whole = isinstance(at_ms, int) or isinstance(at_ms, float) and at_ms.is_integer()
        if is_whole and not isinstance(at_ms, bool):
            sample["timestamp"] = plausible_time(int(at_ms))
        value = sample.get("value")
        # What a distribution is, its value says; a plain number under that type must have its series' own name.
        if isinstance(value, dict):
            make_cumulative(value)
            sample["type"] = "histogram" if "buckets" in value else "summary"
            for label in ["le", "quantile"]:
                sample.get("labels", {}).pop(label, None)
        elif sample.get("type") in ["histogram", "summary"]:
            sample["type"] = "gauge"
    return body


def good_points(body):
    for point in body if isinstance(body, list) else [body]:
        if isinstance(point, dict):
            point["timestamp"] = now_ms()
            point["value"] = 7.5
            point["metric"] = "tried.opentsdb"
            point["tags"] = {"host": "a"}
    return body


def good_series(path, body):
    seconds = now_ms() // 1000
    for series in body.get("series", []):
        series["metric"] = "tried.datadog"
        series.pop("interval", None)
        for name in ["host", "device"]:
            series.pop(name, None)
        series["tags"] = ["a:b"]
        if path.endswith("/v1/series"):
            series["points"] = [[seconds, 8.5]]
            series["type"] = "gauge"
        elif path.endswith("/v2/series"):
            series["points"] = [{"timestamp": seconds, "value": 9.5}]
        else:
            series["points"] = [[seconds, [1.5, 2.5]]]
    return body


def good_otlp(_):
    point = {"timeUnixNano": str(now_ms() * 1_000_000), "asDouble": 1.5}
    metric = {"name": "tried.otlp.json", "gauge": {"dataPoints": [point]}}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}


def good_json(path, body):
    if path.endswith("/metrics") and path != "/v1/metrics":
        return good_batch(body)
    if path == "/v1/metrics":
        return good_otlp(body)
    if path.endswith("/put"):
        return good_points(body)
    if isinstance(body, dict) and ("series" in path or "distribution_points" in path):
        return good_series(path, body)
    return body


def compressed(encoding, body):
    if encoding == "gzip":
        return gzip.compress(body)
    if encoding == "deflate":
        return zlib.compress(body)
    if encoding == "zstd":
        # A frame of one raw block: nothing here writes better ones.
        header = b"\x28\xb5\x2f\xfd" + b"\xa0" + struct.pack("<I", len(body))
        parts = [body[at : at + 100_000] for at in range(0, len(body), 100_000)] or [b""]
        blocks = b""
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            blocks += struct.pack("<I", len(part) << 3 | is_last)[:3] + part
        return header + blocks
    if encoding == "snappy":
        # The framed format, with chunks that are not compressed and a checksum of each.
        out = b"\xff\x06\x00\x00sNaPpY"
        for at in range(0, len(body), 60_000):
            part = body[at : at + 60_000]
            out += b"\x01" + struct.pack("<I", len(part) + 4)[:3] + masked_crc32c(part) + part
        return out
    return body


def masked_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def is_good(case):
    return case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE


# A case may be sent again.
MADE = set()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.id in MADE:
        return
    MADE.add(case.id)
    headers = case.headers if case.headers is not None else {}
    # New for each body, or the answer is that of the first.
    if headers.get("Idempotency-Key") and is_good(case):
        headers["Idempotency-Key"] = uuid.uuid4().hex
    query = case.query if isinstance(case.query, dict) else {}
    path = case.operation.path
    # Else it goes on for ever.
    if path == "/api/v1/tail" and query.get("follow") in (None, "true"):
        query["follow"] = "false"
        case.query = query
    if not is_good(case):
        # It asks one thing, and nothing else of the request is looked at.
        query.pop("get_vm_proto_version", None)
        return
    fit(path, query, headers)
    good(case, path, headers, query)
    # It is still the good request that was generated, said in words that its schema does not have.
    case._record_starting_state()


def ask(fields):
    """A question that can be answered, of the same parameters."""
    good_ones = {
        "query": random.choice(EXPRESSIONS),
        "match": [random.choice(SELECTORS)],
        "match[]": [random.choice(SELECTORS)],
        "start": str(now_ms() / 1000 - 3600),
        "end": str(now_ms() / 1000),
        "time": str(now_ms() / 1000),
        "step": "60s",
        "from": "-15m",
        "to": "now",
    }
    for name, value in good_ones.items():
        if name in fields:
            fields[name] = value if isinstance(fields[name], list) or isinstance(value, str) else value[0]


def fit(path, query, headers):
    """What parameters must be together, and what a schema cannot say of one."""
    if path == "/api/v1/explain" and "path" in query:
        query["path"] = random.choice(EXPLAINED)
    if path.startswith(("/prometheus/", "/api/v1/recent/", "/api/v1/archive/")):
        ask(query)
    # Small numbers are taken for seconds, and refused.
    if path in ("/api/v1/tail", "/api/v1/rejections") and "since" in query:
        query["since"] = "1h"
    # The group would be gone before it is overdue.
    if "expect_every" in query or "Sluice-Push-Expect-Every" in headers:
        query.pop("ttl", None)
        headers.pop("Sluice-Push-Ttl", None)
    # At most ten years.
    for where in [query, headers]:
        for name in ["ttl", "expect_every", "Sluice-Push-Ttl", "Sluice-Push-Expect-Every"]:
            value = where.get(name)
            found = re.fullmatch("([0-9]+)(ms|s|m|h|d)", str(value))
            if found:
                where[name] = f"{int(found[1]) % 3000 + 1}{found[2]}"
            elif value not in (None, "0"):
                # A header may be anything where the query says it, too.
                where.pop(name)


def good(case, path, headers, query):
    body = case.body
    media_type = (case.media_type or "").split(";")[0]
    if path.startswith("/prometheus/api/v1/") and isinstance(body, dict):
        ask(body)
    elif case.operation.body and not IS_WILD:
        own = own_format(path, media_type)
        if own is not None and path != "/api/v1/explain":
            # What has no precision, and is now.
            for name in ["precision", "timestamp"]:
                query.pop(name, None)
            body = own
        elif media_type == "application/json" and path != "/api/v1/explain":
            body = good_json(path, body)
    encoding = headers.get("Content-Encoding")
    if not case.operation.body:
        return
    if case.media_type is None or body is NOT_SET:
        # Nothing is not compressed.
        headers.pop("Content-Encoding", None)
        return
    if "get_vm_proto_version" in query:
        headers.pop("Content-Encoding", None)
        case.body = b""
        return
    is_remote_write = media_type == PROTOBUF and path.endswith(("/write", "/push", "/receive"))
    if is_remote_write and encoding in (None, "", "snappy") and isinstance(body, bytes):
        case.body = snappy(body)
        return
    if encoding and path != EXPORT:
        if not isinstance(body, bytes):
            is_json = media_type == "application/json"
            body = json.dumps(body).encode() if is_json else str(body).encode("utf-8", "replace")
        body = compressed(encoding, body)
    case.body = body
