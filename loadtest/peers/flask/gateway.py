"""The gateway that many teams begin with: Flask takes a JSON batch, kafka-python sends one record per sample.

Each metric is checked for its four fields and sent under its name as the key; the request is answered after
`flush()`, which waits for the deliveries but does not say whether they succeeded. Beyond that: acks=all and lz4, as
for everybody in the comparison, and HTTP/1.1, so that connections live longer than one request.
"""

import json
import os

from flask import Flask, jsonify, request
from kafka import KafkaProducer
from werkzeug.serving import WSGIRequestHandler

FIELDS = ("metric_name", "timestamp", "value", "labels")
TOPIC = os.environ["KAFKA_TOPIC"]

app = Flask(__name__)
producer = KafkaProducer(
    bootstrap_servers=os.environ["KAFKA_BROKERS"].split(","),
    acks="all",
    compression_type="lz4",
    key_serializer=lambda name: name.encode(),
    value_serializer=lambda metric: json.dumps(metric).encode(),
)


@app.post("/metrics")
def receive():
    try:
        metrics = request.get_json().get("metrics", [])
        for metric in metrics:
            if not all(field in metric for field in FIELDS):
                return jsonify(error="invalid metric structure"), 400
            producer.send(TOPIC, key=metric["metric_name"], value=metric)
        producer.flush()
        return jsonify(status="success", metrics_received=len(metrics))
    except Exception as error:  # Whatever it is, the sender is told.
        return jsonify(error=str(error)), 500


@app.get("/health")
def health():
    return jsonify(status="healthy")


if __name__ == "__main__":
    WSGIRequestHandler.protocol_version = "HTTP/1.1"
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
