"""Writes with influxdb-client in every precision, batched and compressed, and prints the samples that must arrive.

usage: influx_client.py URL
"""

import json
import sys
import time
from datetime import datetime, timezone

from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
from influxdb_client.client.write_api import ASYNCHRONOUS, SYNCHRONOUS
from influxdb_client.rest import ApiException

url = sys.argv[1]
now_s = int(time.time())
expected = []


def expect(name, at_ms, value, bucket, **labels):
    labels = {label: text for label, text in labels.items()}
    labels["db"] = bucket
    expected.append({"metric_name": name, "timestamp": at_ms, "value": value, "labels": labels})


def connect(**options):
    return InfluxDBClient(url=url, token="token", org="org", **options)


with connect() as client:
    assert client.ping()
    assert client.version() == "1.8.0", client.version()
    assert client.ready().status == "ready"

    write_api = client.write_api(write_options=SYNCHRONOUS)
    units = {
        WritePrecision.NS: (1_000_000_000, 123_456_789, 123),
        WritePrecision.US: (1_000_000, 123_456, 123),
        WritePrecision.MS: (1000, 123, 123),
        WritePrecision.S: (1, 0, 0),
    }
    for precision, (per_second, rest, rest_ms) in units.items():
        point = (
            Point("room")
            .tag("unit", precision)
            .field("temperature", 21.5)
            .field("people", 3)
            .field("lit", True)
            .field("note", 'a, "quoted" = text\nof two lines')
            .field("value", -0.25)
            .time(now_s * per_second + rest, precision)
        )
        write_api.write(bucket="home", record=point, write_precision=precision)
        at_ms = now_s * 1000 + rest_ms
        expect("room_temperature", at_ms, 21.5, "home", unit=precision)
        expect("room_people", at_ms, 3, "home", unit=precision)
        expect("room_lit", at_ms, 1, "home", unit=precision)
        expect("room", at_ms, -0.25, "home", unit=precision)

    # Names and values that must be escaped, and a time as Python has it.
    at = datetime.fromtimestamp(now_s, timezone.utc)
    record = {
        "measurement": "data, center=1",
        "tags": {"rack no": "a, b = c", "straße": "größe"},
        "fields": {"power draw": 1.5, "on=off": False},
        "time": at,
    }
    write_api.write(bucket="dc", record=[record])
    labels = {"rack no": "a, b = c", "straße": "größe"}
    expect("data, center=1_power draw", now_s * 1000, 1.5, "dc", **labels)
    expect("data, center=1_on=off", now_s * 1000, 0, "dc", **labels)

    # Good lines beside a bad one are stored.
    lines = [f"half,part=a x=1 {now_s}", "half,part=b x=", f"half,part=c x=3 {now_s}"]
    try:
        write_api.write(bucket="home", record=lines, write_precision=WritePrecision.S)
        raise SystemExit("a bad line was accepted")
    except ApiException as error:
        assert error.status == 400, error
        assert json.loads(error.body)["code"] == "invalid", error.body
        assert "line 2: unable to parse 'half,part=b x='" in error.body, error.body
    expect("half_x", now_s * 1000, 1, "home", part="a")
    expect("half_x", now_s * 1000, 3, "home", part="c")

with connect(enable_gzip=True) as client:
    options = WriteOptions(batch_size=500, flush_interval=200, max_retries=0)
    failures = []
    on_error = lambda _conf, _data, error: failures.append(str(error))
    with client.write_api(write_options=options, error_callback=on_error) as write_api:
        for number in range(1700):
            at_ms = now_s * 1000 + number
            point = Point("batched").tag("n", number % 50).field("total", number)
            write_api.write("big", record=point.time(at_ms, WritePrecision.MS), write_precision=WritePrecision.MS)
            expect("batched_total", at_ms, number, "big", n=str(number % 50))
    assert not failures, failures

    # All requests of a client at once.
    write_api = client.write_api(write_options=ASYNCHRONOUS)
    waiting = []
    for number in range(50):
        point = Point("asynchronous").tag("n", number).field("value", number).time(now_s * 1000, WritePrecision.MS)
        waiting.append(write_api.write("big", record=point, write_precision=WritePrecision.MS))
        expect("asynchronous", now_s * 1000, number, "big", n=str(number))
    for result in waiting:
        result.get()

print(json.dumps(expected))
