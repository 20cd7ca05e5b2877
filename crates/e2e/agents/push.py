"""Pushes with both agents, unchanged, and prints what was pushed as one JSON array.

Usage: push.py GATEWAY_URL ROUNDS
"""

import asyncio
import contextlib
import json
import sys
import time

from batching_metrics_agent import BatchingMetricsAgent
from metrics_agent import MetricsAgent


def plain(gateway_url, rounds):
    """What the simple agent collects from this machine, pushed as plain JSON."""
    agent = MetricsAgent(gateway_url)
    pushed = []
    for _ in range(rounds):
        metrics = agent.collect_system_metrics()
        agent.push_metrics(metrics)
        pushed += metrics
    return pushed


async def batched(gateway_url, rounds):
    """Many small metrics through the batching agent, pushed with gzip."""
    agent = BatchingMetricsAgent(gateway_url, batch_size=100)
    pushed = []
    now_ms = int(time.time() * 1000)
    for number in range(rounds * 250):
        metric = {
            "metric_name": f"batch_job_{number % 7}_duration_seconds",
            "timestamp": now_ms + number // 7,
            "value": number / 8,
            "labels": {"job": f"nightly-{number % 3}", "host": "b\u00e4r-01", "quote": 'a"b\\c'},
        }
        pushed.append(metric)
        await agent.add_metric(metric)
    await agent.flush_metrics()
    return pushed


def main():
    gateway_url, rounds = sys.argv[1], int(sys.argv[2])
    with contextlib.redirect_stdout(sys.stderr):
        pushed = plain(gateway_url, rounds) + asyncio.run(batched(gateway_url, rounds))
    print(json.dumps(pushed))


if __name__ == "__main__":
    main()
