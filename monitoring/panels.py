"""What the dashboards show: rows of panels, each with its question, its queries and its unit.

`dashboards.py` makes Grafana's JSON of it. Every metric and label named here is in docs/metrics.md; tests hold that, and that
each query gives an answer on a Prometheus that scrapes running gateways and consumers.
"""

J = 'job=~"$job"'
G = 'job=~"$job", instance=~"$instance"'
S = 'job=~"$job", store=~"$store"'
RUNBOOK = "docs/operations.md"

GREEN_IF_NONE = [(None, "green"), (1, "red")]
SHARE = [(None, "green"), (0.7, "orange"), (0.9, "red")]


def panel(title, about, queries, unit, w=12, h=8, **more):
    if isinstance(queries, str):
        queries = [(queries, "")]
    return {"title": title, "about": about, "queries": queries, "unit": unit, "w": w, "h": h, **more}


def stat(title, about, query, unit, steps=None, w=4, h=4, **more):
    return panel(title, about, [(query, "")], unit, w, h, kind="stat", steps=steps, **more)


def quantiles(metric, matchers, by=""):
    """The median and the 99th percentile of a histogram."""
    grouped = f"le, {by}" if by else "le"
    legend = f"{{{{{by}}}}} " if by else ""
    return [
        (f"histogram_quantile({q}, sum by ({grouped}) (rate({metric}_bucket{{{matchers}}}[$__rate_interval])))", f"{legend}{name}")
        for q, name in ((0.5, "median"), (0.99, "p99"))
    ]


def rate(metric, matchers, by):
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


def increase_or_0(metric, matchers, window="$__range"):
    return f"(sum(increase({metric}{{{matchers}}}[{window}])) or vector(0))"


LOST = " + ".join(
    increase_or_0(metric, J)
    for metric in (
        "sluice_consumer_records_expired_total",
        "sluice_log_expired_unread_records_total",
        "sluice_spool_expired_records_total",
        "sluice_spool_refused_records_total",
        "sluice_spool_lost_records_total",
        "sluice_statsd_kernel_drops_total",
    )
)

ARRIVED = (
    f"(sum by (store) (increase(sluice_consumer_samples_written_total{{{J}}}[6h]))"
    f" + (sum by (store) (increase(sluice_consumer_samples_dead_lettered_total{{{J}}}[6h]))"
    f" or 0 * sum by (store) (increase(sluice_consumer_samples_written_total{{{J}}}[6h]))))"
    f" / on () group_left () sum(increase(sluice_gateway_samples_accepted_total{{{J}}}[6h]))"
)

OVERVIEW = {
    "title": "Overview",
    "about": "Is data being lost, how long until it would be, and does everything that comes in arrive?",
    "variables": [("job", "Job", "label_values(sluice_build_info, job)")],
    "rows": [
        ("Is data being lost? How long until it would be?", [
            stat("Lost", "Records that expired unread or that a spool could not deliver, and StatsD packets that the kernel dropped, in the time shown. Anything but 0 is loss: docs/operations.md, «Is data being lost?».", LOST, "short", GREEN_IF_NONE, decimals=0),
            stat("Until the first record expires", "The shortest headroom of all stores and partitions: the time that is left to mend a store. A full day when everything is caught up.", f"min(sluice_consumer_headroom_seconds{{{J}}})", "s", [(None, "red"), (4 * 3600, "orange"), (12 * 3600, "green")]),
            stat("Farthest behind", "Age of the oldest record that some store does not have yet.", f"max(sluice_consumer_lag_seconds{{{J}}})", "s", [(None, "green"), (60, "orange"), (300, "red")]),
            stat("Fullest spool", "How much of its spool the gateway uses that uses most. Above 0: Kafka does not take records there. When it is full, senders get 503.", f"max(sluice_spool_bytes{{{J}}} / sluice_spool_limit_bytes{{{J}}})", "percentunit", [(None, "green"), (0.3, "orange"), (0.7, "red")], noValue="no spool"),
            stat("Told to come back", "Share of the requests that got 503. Their senders keep the samples and send them again.", f'(sum(rate(sluice_gateway_requests_total{{{J}, status="503"}}[$__rate_interval])) or vector(0)) / sum(rate(sluice_gateway_requests_total{{{J}}}[$__rate_interval]))', "percentunit", [(None, "green"), (0.001, "orange"), (0.01, "red")]),
            stat("Refused", "Share of the samples that were refused: bad, or beyond a quota. Their senders were told why; docs/operations.md, «Why was this sample refused?».", f"(sum(rate(sluice_gateway_samples_rejected_total{{{J}}}[$__rate_interval])) or vector(0)) / sum(rate(sluice_gateway_samples_received_total{{{J}}}[$__rate_interval]))", "percentunit", [(None, "green"), (0.001, "orange"), (0.01, "red")]),
            panel("Headroom of each store", "Seconds until the oldest record that the store does not have expires. It falls by a second each second while a store is away: where the line meets 0, loss begins.", [(f"min by (store) (sluice_consumer_headroom_seconds{{{J}}})", "{{store}}")], "s", min=0, steps=[(None, "transparent"), (0, "red"), (4 * 3600, "transparent")]),
            panel("How far each store is behind", "Age of the oldest record that the store does not have yet.", [(f"max by (store) (sluice_consumer_lag_seconds{{{J}}})", "{{store}}")], "s", min=0),
        ]),
        ("The ledger: does everything that comes in arrive?", [
            panel("Samples in and out", "Accepted by gateways, and per store written. The lines are the same when a store is caught up; a store that catches up is above. Each store has all samples.", [
                (f"sum(rate(sluice_gateway_samples_accepted_total{{{J}}}[$__rate_interval]))", "accepted"),
                (rate("sluice_consumer_samples_written_total", J, "store"), "written: {{store}}"),
            ], "cps", min=0),
            panel("Arrived of what was accepted, over 6 hours", "Written and dead-lettered over accepted. 1 for a store that was caught up at both ends; more while it catches up or reads again, less while it falls behind. Less than 1 with no lag is an imbalance: docs/operations.md, «Is data being lost?».", [(ARRIVED, "{{store}}")], "percentunit"),
            panel("Samples refused by gateways", "By the answer's code. Not loss: the sender was told.", [(rate("sluice_gateway_samples_rejected_total", J, "reason"), "{{reason}}")], "cps", min=0),
            panel("Samples refused by stores", "In the dead-letter topic, with the store's reason. Look at them, mend, and send them again.", [(rate("sluice_consumer_samples_dead_lettered_total", J, "store, reason"), "{{store}}: {{reason}}")], "cps", min=0),
        ]),
        ("Senders", [
            panel("Requests by answer", "503: come back later. 4xx: the request or all of its samples were refused.", [(rate("sluice_gateway_requests_total", J, "status"), "{{status}}")], "reqps", stack=True, min=0),
            panel("Time to the answer", "From the end of a request's header to its answer, of requests that were taken. The sample is durable by then.", quantiles("sluice_gateway_request_duration_seconds", f'{J}, outcome="ok"'), "s", min=0),
        ]),
        ("Processes", [
            panel("Processes", "What runs, and since when.", [(f"time() - process_start_time_seconds{{{J}}} * on (instance) group_left (version, role) sluice_build_info{{{J}}}", "")], "s", w=12, kind="table", hide=["job"], rename={"Value": "Running for"}),
            panel("CPU by role", "Cores in use.", [(f"sum by (role) (rate(process_cpu_seconds_total{{{J}}}[$__rate_interval]) * on (instance) group_left (role) sluice_build_info{{{J}}})", "{{role}}")], "short", min=0),
            panel("Memory", "Resident memory of each process. Every queue is bounded, so this is flat under overload.", [(f"process_resident_memory_bytes{{{J}}}", "{{instance}}")], "bytes", min=0),
            panel("Clocks and settings", "Seconds that a machine's clock was set since the start, settings that are refused (1) or that wait for a restart.", [
                (f"sluice_clock_offset_seconds{{{J}}} != 0", "{{instance}} clock"),
                (f"sluice_settings_refused{{{J}}} > 0", "{{instance}} refused"),
                (f"sluice_settings_restart_needed{{{J}}} > 0", "{{instance}} restart needed"),
            ], "short"),
        ]),
    ],
}

GATEWAY = {
    "title": "Gateway",
    "about": "What comes in, what is refused, how full the gateways are, and whether Kafka takes what they have.",
    "variables": [
        ("job", "Job", "label_values(sluice_gateway_in_flight_limit_bytes, job)"),
        ("instance", "Gateway", 'label_values(sluice_gateway_in_flight_limit_bytes{job=~"$job"}, instance)'),
    ],
    "rows": [
        ("In", [
            panel("Samples accepted, by protocol", "Durable: in Kafka on all in-sync replicas, or fsynced.", [(rate("sluice_gateway_samples_accepted_total", G, "protocol"), "{{protocol}}")], "cps", stack=True, min=0),
            panel("Samples accepted, by gateway", "Uneven lines: the load balancer, or senders with long-lived connections.", [(rate("sluice_gateway_samples_accepted_total", G, "instance"), "{{instance}}")], "cps", min=0),
            panel("Requests by path and answer", "The pattern of the path, and the status.", [(rate("sluice_gateway_requests_total", G, "route, status"), "{{route}} {{status}}")], "reqps", stack=True, min=0),
            panel("Time to the answer", "From the end of a request's header to its answer, by outcome.", quantiles("sluice_gateway_request_duration_seconds", G, "outcome"), "s", min=0),
        ]),
        ("Refused", [
            panel("Samples refused", "By protocol and code. Which ones and whose: /api/v1/rejections of the admin port.", [(rate("sluice_gateway_samples_rejected_total", G, "protocol, reason"), "{{protocol}} {{reason}}")], "cps", min=0),
            panel("Requests refused", "By the answer's code.", [(rate("sluice_gateway_requests_refused_total", G, "reason"), "{{reason}}")], "reqps", min=0),
            panel("Not let in", "Missing or wrong credentials.", [(rate("sluice_gateway_access_denied_total", G, "reason"), "{{reason}}")], "reqps", min=0),
            panel("Passed over", "What a protocol has and Sluice does not store. Nothing is refused for it.", [(rate("sluice_gateway_ignored_total", G, "protocol, kind"), "{{protocol}} {{kind}}")], "cps", min=0),
        ]),
        ("How full: where 503 begins", [
            panel("Bodies in flight", "Of http.max_in_flight. At 1 requests get 503; from a half on no sender has more than its share.", [(f"sluice_gateway_in_flight_bytes{{{G}}} / sluice_gateway_in_flight_limit_bytes{{{G}}}", "{{instance}}")], "percentunit", w=8, min=0, max=1, steps=SHARE),
            panel("Queue to Kafka", "Of kafka.max_queue. At 1 records go to the spool.", [(f"sluice_kafka_queue_bytes{{{G}}} / sluice_kafka_queue_limit_bytes{{{G}}}", "{{instance}}")], "percentunit", w=8, min=0, max=1, steps=SHARE),
            panel("Spool", "Of spool.max_size. At 1 requests get 503.", [(f"sluice_spool_bytes{{{G}}} / sluice_spool_limit_bytes{{{G}}}", "{{instance}}")], "percentunit", w=8, min=0, max=1, steps=SHARE),
            panel("CPU", "Cores in use. Samples per second over this is what a core takes: docs/operations.md, «Sizing».", [(f"rate(process_cpu_seconds_total{{{G}}}[$__rate_interval])", "{{instance}}")], "short", w=8, min=0),
            panel("Memory", "Resident.", [(f"process_resident_memory_bytes{{{G}}}", "{{instance}}")], "bytes", w=8, min=0),
            panel("Connections", "Open now, by port; waited: times that accepting waited because as many are open as may be.", [
                (f"sum by (instance, port) (sluice_http_connections_open{{{G}}})", "{{instance}} {{port}}"),
                (f"sum by (instance, port) (rate(sluice_http_connections_waited_total{{{G}}}[$__rate_interval])) > 0", "{{instance}} {{port}} waited/s"),
            ], "short", w=8, min=0),
        ]),
        ("Kafka", [
            panel("Records by what became of them", "Delivered, or why not. What is not delivered went to the spool, or its requests got 503.", [(rate("sluice_kafka_deliveries_total", G, "outcome"), "{{outcome}}")], "cps", min=0),
            panel("Time until Kafka's answer", "From handing a record to the client to the acknowledgement of all in-sync replicas.", quantiles("sluice_kafka_delivery_seconds", f'{G}, outcome="delivered"'), "s", min=0),
            panel("Errors of the Kafka client", "And producers that were replaced after an error that ends one.", [
                (rate("sluice_kafka_client_errors_total", G, "client, kind"), "{{client}} {{kind}}"),
                (f"sum(rate(sluice_kafka_producer_restarts_total{{{G}}}[$__rate_interval])) > 0", "producers replaced"),
            ], "cps", min=0),
            panel("Fallback cluster", "Ready: it would take records. Active: new records go there, because emergency.use_fallback says so.", [
                (f"sluice_fallback_ready{{{G}}}", "{{instance}} ready"),
                (f"sluice_fallback_active{{{G}}}", "{{instance}} active"),
                (rate("sluice_fallback_records_total", G, "outcome"), "records {{outcome}}"),
            ], "short", min=0),
            panel("Topics that differ from the settings", "1 where a topic is not as configured. Sluice changes no topic that exists.", [(f"max by (topic, setting) (sluice_buffer_topic_mismatch{{{J}}}) > 0", "{{topic}}: {{setting}}")], "short", min=0),
        ]),
        ("Coalescing", [
            panel("Samples per record", "What coalescing achieves. Few samples per record cost CPU here, in Kafka and in the consumers.", quantiles("sluice_gateway_record_samples", G), "short", w=8, min=0),
            panel("Size of records", "Before compression.", quantiles("sluice_gateway_record_bytes", G), "bytes", w=8, min=0),
            panel("Wait for others, and publishing", "Median and p99 of the time in a window, and of the buffer's answer.", [
                *((query, f"window {legend}") for query, legend in quantiles("sluice_gateway_coalesce_wait_seconds", G)),
                *((query, f"publish {legend}") for query, legend in quantiles("sluice_gateway_publish_seconds", G)),
            ], "s", w=8, min=0),
            panel("Series that are known", "Compared with what was seen before instead of read again. A drop to 0 is a start, or a full http.series_cache.", [(f"sluice_gateway_known_series{{{G}}}", "{{instance}}")], "short", w=12, min=0),
            panel("Repeats", "Requests that came again, by what they got.", [(rate("sluice_gateway_repeats_total", G, "outcome"), "{{outcome}}")], "reqps", w=12, min=0),
        ]),
        ("Spool: while Kafka does not take records", [
            panel("Records in and out of the spool", "Not taken: full, or its disk fails; those requests got 503.", [
                (f"sum(rate(sluice_spool_appended_records_total{{{G}}}[$__rate_interval]))", "in"),
                (rate("sluice_spool_drained_records_total", G, "outcome"), "out: {{outcome}}"),
                (f"sum(rate(sluice_spool_not_appended_records_total{{{G}}}[$__rate_interval]))", "not taken"),
            ], "cps", w=8, min=0),
            panel("Oldest record that waits", "At spool.max_age (12 h) it is given up, if its partition still takes nothing.", [(f"sluice_spool_oldest_record_age_seconds{{{G}}}", "{{instance}}")], "s", w=8, min=0),
            panel("Partitions that are not tried", "Their records go straight to the spool.", [(f"sluice_spool_open_circuits{{{G}}}", "{{instance}}")], "short", w=8, min=0),
            panel("What the spool could not deliver", "Records, in the time shown. Loss.", [
                (f"sum(increase(sluice_spool_expired_records_total{{{G}}}[$__range]))", "waited too long"),
                (f"sum(increase(sluice_spool_refused_records_total{{{G}}}[$__range]))", "refused by Kafka"),
                (f"sum(increase(sluice_spool_lost_records_total{{{G}}}[$__range]))", "lost by the disk"),
            ], "short", w=24, h=5, kind="stat", steps=GREEN_IF_NONE, noValue="no spool"),
        ]),
        ("Embedded log: one machine without Kafka", [
            panel("Size", "Records that are kept, of what may be, and the files on the disk.", [
                (f"sluice_log_records_bytes{{{G}}}", "{{instance}} records"),
                (f"sluice_log_limit_bytes{{{G}}}", "{{instance}} may be"),
                (f"sluice_log_disk_bytes{{{G}}}", "{{instance}} on the disk"),
            ], "bytes", w=8, min=0),
            panel("Time of an fsync", "What every request waits for.", quantiles("sluice_log_fsync_seconds", G), "s", w=8, min=0),
            panel("Refused, and expired unread", "Refused: full of unread records, senders got 503. Expired unread: loss for that reader.", [
                (f"sum(rate(sluice_log_refused_total{{{G}}}[$__rate_interval]))", "refused"),
                (rate("sluice_log_expired_unread_records_total", G, "reader"), "expired: {{reader}}"),
            ], "cps", w=8, min=0),
        ]),
        ("StatsD and pushed groups", [
            panel("StatsD lines", "By outcome; kernel drops are packets that were lost before they could be read.", [
                (rate("sluice_statsd_lines_total", G, "outcome"), "{{outcome}}"),
                (f"sum(rate(sluice_statsd_kernel_drops_total{{{G}}}[$__rate_interval]))", "kernel drops (packets)"),
            ], "cps", w=8, min=0),
            panel("StatsD memory", "Of statsd.max_memory.", [(f"sluice_statsd_memory_bytes{{{G}}} / sluice_statsd_memory_limit_bytes{{{G}}}", "{{instance}}")], "percentunit", w=8, min=0, max=1, steps=SHARE),
            panel("Pushed groups", "All gateways on a buffer share them.", [
                (f"max(sluice_gateway_push_groups{{{G}}})", "groups"),
                (f"max(sluice_gateway_push_groups_overdue{{{G}}})", "overdue"),
            ], "short", w=8, min=0),
        ]),
        ("TLS", [
            panel("Until a certificate expires", "Of each listener. Files that are replaced are read again within seconds.", [(f"min by (instance, listener) (sluice_tls_certificate_expires_seconds{{{J}}})", "{{instance}} {{listener}}")], "s", w=12, steps=[(None, "red"), (14 * 86400, "transparent")]),
            panel("Handshakes that failed", "By what went wrong: clients without a certificate, ones that do not trust ours, ones that speak no TLS.", [(rate("sluice_tls_handshakes_total", f'{G}, outcome!="ok"', "listener, outcome"), "{{listener}} {{outcome}}")], "cps", w=12, min=0),
        ]),
    ],
}

CONSUMER = {
    "title": "Consumer",
    "about": "How each store takes what the buffer has, and how far it is behind.",
    "variables": [
        ("job", "Job", "label_values(sluice_consumer_samples_consumed_total, job)"),
        ("store", "Store", 'label_values(sluice_consumer_samples_consumed_total{job=~"$job"}, store)'),
    ],
    "rows": [
        ("How far behind, and how long until records expire", [
            panel("Headroom of the worst partitions", "Seconds until the oldest record that the store does not have expires. The ten shortest.", [(f"bottomk(10, min by (store, partition) (sluice_consumer_headroom_seconds{{{S}}}))", "{{store}} {{partition}}")], "s", w=8, min=0, steps=[(None, "red"), (4 * 3600, "transparent")]),
            panel("Lag of the worst partitions, in time", "Age of the oldest record that the store does not have. One partition alone: a hot name, docs/operations.md «Which name is hot?».", [(f"topk(10, max by (store, partition) (sluice_consumer_lag_seconds{{{S}}}))", "{{store}} {{partition}}")], "s", w=8, min=0),
            panel("Lag in records", "Of all partitions.", [(f"sum by (store) (sluice_consumer_lag_records{{{S}}})", "{{store}}")], "short", w=8, min=0),
            panel("Until a store has caught up", "Lag over the speed at which it falls. Nothing: it does not fall.", [(f"sum by (store) (sluice_consumer_lag_records{{{S}}}) / (-sum by (store) (deriv(sluice_consumer_lag_records{{{S}}}[15m])) > 0)", "{{store}}")], "s", w=12, min=0),
            panel("Expired unread", "Offsets that went before the store had them, in the time shown: loss for that store.", [(f"sum by (store) (increase(sluice_consumer_records_expired_total{{{S}}}[$__range]))", "{{store}}")], "short", w=12, kind="stat", steps=GREEN_IF_NONE, decimals=0, noValue="none"),
        ]),
        ("What becomes of samples", [
            panel("Samples written", "What the store has taken.", [(rate("sluice_consumer_samples_written_total", S, "store"), "{{store}}")], "cps", min=0),
            panel("Samples that were not written", "Dead-lettered ones are in the dead-letter topic with the reason; returned ones are consumed again.", [
                (rate("sluice_consumer_samples_dead_lettered_total", S, "store, reason"), "{{store}} dead letter: {{reason}}"),
                (rate("sluice_consumer_samples_skipped_total", S, "store, reason"), "{{store}} skipped: {{reason}}"),
                (rate("sluice_consumer_records_dead_lettered_total", S, "store, reason"), "{{store}} records: {{reason}}"),
            ], "cps", min=0),
            panel("Samples by process", "Who handles how much. One without any: more processes than partitions.", [(rate("sluice_consumer_samples_consumed_total", S, "instance, store"), "{{instance}} {{store}}")], "cps", min=0),
            panel("Samples in a batch", "Small batches cost the store more per sample; under load they grow.", quantiles("sluice_consumer_batch_samples", S, "store"), "short", min=0),
        ]),
        ("The stores", [
            panel("Time of a write", "Of those that the store took.", quantiles("sluice_consumer_write_seconds", f'{S}, outcome="ok"', "store"), "s", min=0),
            panel("Batches by answer", "Retryable: not now, it is sent again for as long as it takes. Refused: never.", [(rate("sluice_store_requests_total", S, "store, outcome"), "{{store}} {{outcome}}")], "reqps", min=0),
            panel("Attempts that are made again", "By reason.", [(rate("sluice_consumer_retries_total", S, "store, reason"), "{{store}} {{reason}}")], "cps", min=0),
            panel("Share of the time that reading is paused", "The store is slower than the buffer.", [(f"avg by (store) (avg_over_time(sluice_consumer_paused{{{S}}}[$__rate_interval]))", "{{store}}")], "percentunit", min=0, max=1),
            panel("Remote write: time of a request", "Failures included.", quantiles("sluice_store_request_duration_seconds", S, "store"), "s", min=0),
            panel("Archive", "Files added and merged, and bytes.", [
                (rate("sluice_store_archive_files_total", S, "store"), "{{store}} files"),
                (rate("sluice_store_archive_files_merged_total", S, "store"), "{{store}} merged"),
                (rate("sluice_store_archive_bytes_total", S, "store"), "{{store}} bytes"),
            ], "short", min=0),
            panel("Archive: since its object store was up to date", "It is brought up to date again and again; days stay on the disk until then.", [(f"time() - max by (store) (sluice_store_archive_moved_timestamp_seconds{{{S}}})", "{{store}}")], "s", w=12, min=0),
            panel("Partitions that wait for each other", "Series move when the spread of a name changes; what comes later waits for what came before.", [
                (f"sum by (group) (sluice_kafka_partitions_waiting{{{J}}})", "{{group}}"),
                (rate("sluice_kafka_order_waits_total", J, "outcome"), "{{outcome}}"),
            ], "short", w=12, min=0),
        ]),
        ("The process", [
            panel("Held in memory", "Records that the store does not have yet, of consumer.max_buffered. At 1 reading pauses.", [(f"sluice_consumer_buffered_bytes{{{S}}} / sluice_consumer_buffered_limit_bytes{{{S}}}", "{{instance}} {{store}}")], "percentunit", w=8, min=0, max=1, steps=SHARE),
            panel("Read ahead", "Bytes from Kafka that wait for the consumer.", [(f"sluice_kafka_read_ahead_bytes{{{J}}}", "{{instance}} {{group}}")], "bytes", w=8, min=0),
            panel("Rebalances and commits that failed", "Handover timed out, lost: partitions went before the store had everything; those records are read again.", [
                (rate("sluice_kafka_rebalances_total", J, "group, event"), "{{group}} {{event}}"),
                (rate("sluice_consumer_commits_total", f'{S}, outcome="failed"', "store"), "{{store}} commit failed"),
            ], "cps", w=8, min=0),
            panel("CPU", "Cores in use by processes with a store.", [(f"rate(process_cpu_seconds_total{{{J}}}[$__rate_interval]) and on (instance) sluice_consumer_paused{{{S}}}", "{{instance}}")], "short", w=12, min=0),
            panel("Memory", "Resident.", [(f"process_resident_memory_bytes{{{J}}} and on (instance) sluice_consumer_paused{{{S}}}", "{{instance}}")], "bytes", w=12, min=0),
        ]),
    ],
}

TENANT = {
    "title": "Tenants and senders",
    "about": "Who sends too much, whose samples are refused, and where series come from.",
    "variables": [
        ("job", "Job", "label_values(sluice_gateway_in_flight_limit_bytes, job)"),
        ("tenant", "Tenant", 'label_values(sluice_gateway_tenant_active_series{job=~"$job"}, tenant)'),
    ],
    "rows": [
        ("Who sends too much?", [
            panel("Samples by sender", "Good samples given to the buffer. The first senders have a line of their own (rejections.metric_sources), others are «other».", [(f"topk(20, {rate('sluice_gateway_samples_sent_by_source_total', J, 'source')})", "{{source}}")], "cps", w=24, min=0),
            panel("Active series by tenant", "Series that sent something within quotas.window, estimated; the sum over gateways, so a series that came by two counts twice.", [(f'sum by (tenant) (sluice_gateway_tenant_active_series{{{J}, tenant=~"$tenant"}})', "{{tenant}}")], "short", min=0),
            panel("Refused by a quota", "Rates: requests got 429. Others: the objects beyond it were refused. Never the neighbours'.", [(rate("sluice_gateway_quota_refused_total", f'{J}, tenant=~"$tenant"', "tenant, quota"), "{{tenant}} {{quota}}")], "cps", min=0),
            panel("Metrics with most series", "Estimated. Whose they are: /api/v1/cardinality?metric=NAME of the admin port.", [(f"topk(20, max by (metric) (sluice_gateway_metric_active_series{{{J}}}))", "{{metric}}")], "short", kind="bargauge", h=10),
            panel("Labels with most values", "A label whose values never end (an id, a time, a path) makes series without end.", [(f"topk(20, max by (label) (sluice_gateway_label_values{{{J}}}))", "{{label}}")], "short", kind="bargauge", h=10),
            panel("All active series, and since a day ago", "A step is a new release that made a label.", [
                (f"sum(sluice_gateway_active_series{{{J}}})", "now"),
                (f"sum(sluice_gateway_active_series{{{J}}} offset 1d)", "a day before"),
            ], "short", min=0),
            panel("What limits cost", "Memory of the active series that limits need, and of remembered answers; series that estimates leave out.", [
                (f"sum by (instance) (sluice_gateway_quota_memory_bytes{{{J}}})", "{{instance}} quotas"),
                (f"sum by (instance) (sluice_gateway_repeats_memory_bytes{{{J}}})", "{{instance}} repeats"),
            ], "bytes", min=0),
        ]),
        ("Which name is hot?", [
            panel("Metric names with most bytes", "Before compression, in the last window (partitioning.heat.window). All of a name is in one partition unless partitioning.spread names it.", [(f"topk(10, sum by (metric) (sluice_gateway_metric_bytes_per_second{{{J}}}))", "{{metric}}")], "Bps", w=8, min=0),
            panel("Skew of partitions", "How many times as much the fullest partition got as one got on average. 1 is even.", [(f"max(sluice_gateway_partition_skew_ratio{{{J}}})", "skew"), (f"max(sluice_gateway_hot_metrics{{{J}}})", "names that are too much for their partitions")], "short", w=8, min=0),
            panel("Partitions with most bytes", "The ten fullest. One far above the others: a hot name; /api/v1/heat of the admin port has the line that spreads it.", [(f"topk(10, {rate('sluice_gateway_partition_bytes_total', J, 'partition')})", "{{partition}}")], "Bps", w=8, min=0),
        ]),
        ("Whose samples are refused, and why?", [
            panel("Samples refused, by sender", "The first senders have a line of their own (rejections.metric_sources), others are «other». The sentences: /api/v1/rejections?source=… of the admin port.", [(f"topk(20, {rate('sluice_gateway_samples_rejected_by_source_total', J, 'source, reason')})", "{{source}}: {{reason}}")], "cps", min=0),
            panel("Requests refused, by sender", "Whole requests: a bad body, wrong credentials, a rate. The code says which.", [(f"topk(20, {rate('sluice_gateway_requests_refused_by_source_total', J, 'source, reason')})", "{{source}}: {{reason}}")], "reqps", min=0),
            panel("Refused in the time shown", "Samples, by sender and code.", [(f"topk(50, sum by (source, reason) (increase(sluice_gateway_samples_rejected_by_source_total{{{J}}}[$__range])) > 0)", "")], "short", w=24, kind="table", decimals=0, rename={"Value": "Samples", "source": "Sender", "reason": "Why"}, sort=[{"displayName": "Samples", "desc": True}]),
            panel("Not let in", "Missing, unknown or expired credentials, by reason. Whose: /api/v1/rejections of the admin port.", [(rate("sluice_gateway_access_denied_total", J, "reason"), "{{reason}}")], "reqps", w=12, min=0),
            panel("Receipts of refused samples", "Into rejections.topic: written, dropped (its queue was full) or failed.", [(rate("sluice_gateway_rejection_receipts_total", J, "outcome"), "{{outcome}}")], "cps", w=12, min=0),
        ]),
    ],
}

DASHBOARDS = {"overview": OVERVIEW, "gateway": GATEWAY, "consumer": CONSUMER, "tenant": TENANT}
