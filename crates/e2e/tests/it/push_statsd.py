"""Sends one of everything with the clients that people use, told nothing but where to.

Usage: push_statsd.py UDP_PORT TCP_PORT UNIX_DATAGRAM_SOCKET UNIX_STREAM_SOCKET
"""

import sys
import time

import statsd
from datadog.dogstatsd import DogStatsd


def plain(client):
    for _ in range(100):
        client.incr("orders")
    client.incr("orders", 400)
    client.gauge("queue", 20)
    client.gauge("queue", 5, delta=True)
    client.gauge("queue", -10, delta=True)
    for _ in range(10):
        client.timing("latency", 320)
    for user in ["ann", "bob", "ann"]:
        client.set("users", user)
    with client.pipeline() as pipe:
        for _ in range(50):
            pipe.incr("piped")


def datadog(client):
    tags = ["env:prod", "team:a:b", "urgent"]
    for _ in range(100):
        client.increment("dd.hits", 3, tags=tags)
    client.gauge("dd.temp", 21.5, tags=tags)
    for value in [1, 2, 3]:
        client.histogram("dd.size", value, tags=tags)
        client.distribution("dd.dist", value, tags=tags)
        client.timing("dd.took", value * 1000, tags=tags)
    client.set("dd.users", "ann", tags=tags)
    client.event("deployed", "version 2", tags=tags)
    client.service_check("db", 0, message="fine", tags=tags)
    client.count_with_timestamp("dd.past", 4, int(time.time()) - 60, tags=tags)
    client.gauge_with_timestamp("dd.then", 7, int(time.time()) - 60, tags=tags)
    client.flush_aggregated_metrics()
    client.flush()


def main():
    udp_port, tcp_port, datagram, stream = sys.argv[1:]
    plain(statsd.StatsClient("127.0.0.1", int(udp_port), prefix="shop"))
    tcp = statsd.TCPStatsClient("127.0.0.1", int(tcp_port), prefix="tcp")
    plain(tcp)
    tcp.close()
    unix = statsd.UnixSocketStatsClient(stream, prefix="unix")
    plain(unix)
    unix.close()
    datadog(DogStatsd(host="127.0.0.1", port=int(udp_port)))
    packed = DogStatsd(
        host="127.0.0.1",
        port=int(udp_port),
        namespace="packed",
        disable_aggregation=False,
    )
    datadog(packed)
    local = DogStatsd(socket_path=datagram, namespace="local", disable_buffering=False)
    datadog(local)


if __name__ == "__main__":
    main()
