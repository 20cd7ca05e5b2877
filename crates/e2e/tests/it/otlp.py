"""Every instrument of the OpenTelemetry SDK, pushed as an application does it: nothing is set but the endpoint.

Arguments: http or grpc, endpoint, cumulative or delta. Two exports, so that sums can grow.
"""

import os
import sys

protocol, endpoint, preference = sys.argv[1:4]
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
os.environ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"] = preference

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

if protocol == "http":
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    exporter = OTLPMetricExporter()
else:
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter

    exporter = OTLPMetricExporter(insecure=True)

resource = Resource.create(
    {"service.name": "shop", "service.namespace": "eu", "service.instance.id": f"{protocol}-{preference}"}
)
reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
views = [View(instrument_name="payload.size", aggregation=ExponentialBucketHistogramAggregation())]
provider = MeterProvider(metric_readers=[reader], resource=resource, views=views)
meter = provider.get_meter("shop.lib", "1.2")

turn = 0


def observed(factor):
    def callback(options: CallbackOptions):
        yield Observation(factor * turn, {"shard.id": 7})

    return callback


orders = meter.create_counter("orders.placed", description="Orders.")
active = meter.create_up_down_counter("sessions.active", unit="{session}")
latency = meter.create_histogram(
    "http.server.duration", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1.0, 10.0]
)
payload = meter.create_histogram("payload.size", unit="By")
temperature = meter.create_gauge("room.temperature", unit="Cel")
meter.create_observable_counter("cpu.time", [observed(10)], unit="s")
meter.create_observable_up_down_counter("queue.length", [observed(-2)])
meter.create_observable_gauge("disk.usage", [observed(0.125)], unit="1")

for turn in (1, 2):
    orders.add(3, {"order.kind": "web"})
    active.add(5)
    active.add(-1)
    for value in (0.05, 0.5, 0.5, 20.0):
        latency.record(value, {"http.method": "GET"})
    for value in (1, 100, 5000):
        payload.record(value)
    temperature.set(20.5 + turn)
    assert provider.force_flush(20_000), "the export failed"
provider.shutdown()
