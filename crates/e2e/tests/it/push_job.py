"""One step of a batch job, with nothing but prometheus_client: push, add, or delete.

Usage: push_job.py <address> <step>
"""

import sys

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import delete_from_gateway, push_to_gateway, pushadd_to_gateway


def gauge(name, value, **labels):
    registry = CollectorRegistry()
    metric = Gauge(name, "A gauge.", list(labels), registry=registry)
    (metric.labels(**labels) if labels else metric).set(value)
    return registry


def all_kinds():
    registry = gauge("job_rows", 5)
    Counter("job_errors", "A counter.", ["kind"], registry=registry).labels("io").inc(2)
    Histogram("job_seconds", "A histogram.", buckets=[1, 5], registry=registry).observe(3)
    return registry


def main():
    address, step = sys.argv[1:]
    key = {"path": "/var/tmp", "empty": "", "zone": "a b"}
    if step == "push":
        push_to_gateway(address, job="nightly", registry=all_kinds())
    elif step == "push_again":
        push_to_gateway(address, job="nightly", registry=gauge("job_rows", 6), compression="gzip")
    elif step == "add":
        pushadd_to_gateway(address, job="nightly", registry=gauge("job_files", 7))
    elif step == "push_with_key":
        push_to_gateway(address, job="a/b", registry=gauge("keyed_rows", 8), grouping_key=key)
    elif step == "delete":
        delete_from_gateway(address, job="nightly")
        delete_from_gateway(address, job="a/b", grouping_key=key)
    else:
        raise SystemExit(f"no step {step}")


main()
