"""Clients that people use, over TLS and with each kind of credential.

Usage: secured.py <port> <folder> <key> <user> <password>
"""

import sys
import time

import requests
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from grpc import ssl_channel_credentials
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway
from prometheus_client.exposition import tls_auth_handler

port, folder, key, user, password = sys.argv[1:]
url = f"https://localhost:{port}"
ca = f"{folder}/ca.pem"


def batch(name):
    now = int(time.time() * 1000)
    return {"metrics": [{"metric_name": name, "timestamp": now, "value": 1, "labels": {}}]}


def status(name, **options):
    return requests.post(f"{url}/metrics", json=batch(name), verify=ca, **options).status_code


refused = requests.post(f"{url}/metrics", json=batch("nobody"), verify=ca)
assert refused.status_code == 401, refused.text
assert refused.json()["code"] == "unauthenticated", refused.text
assert "Basic" in refused.headers["www-authenticate"], refused.headers

assert status("by_key", headers={"Authorization": f"Bearer {key}"}) == 200
assert status("by_user", auth=(user, password)) == 200
assert status("by_wrong_password", auth=(user, "wrong")) == 401
assert status("by_certificate", cert=(f"{folder}/billing.pem", f"{folder}/billing.key")) == 200

registry = CollectorRegistry()
Gauge("pushed_by_certificate", "A gauge.", registry=registry).set(1)


def with_certificate(url, method, timeout, headers, data):
    certificate, own_key = f"{folder}/billing.pem", f"{folder}/billing.key"
    return tls_auth_handler(url, method, timeout, headers, data, certificate, own_key, cafile=ca)


push_to_gateway(url, job="nightly", registry=registry, handler=with_certificate)

credentials = ssl_channel_credentials(open(ca, "rb").read())
for token, expected in [(key, True), ("wrong", False)]:
    exporter = OTLPMetricExporter(
        endpoint=f"localhost:{port}",
        credentials=credentials,
        headers=(("authorization", f"Bearer {token}"),),
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider(metric_readers=[reader])
    provider.get_meter("test").create_counter("by_rpc").add(1)
    provider.shutdown()

print("done")
