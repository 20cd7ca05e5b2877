"""Pushes one remote-write 2.0 request with Google's own library; prints the status and the Written headers.

Usage: write_remote_write.py PROTO_FILE URL UNIX_MILLISECONDS
"""

import importlib
import pathlib
import sys
import tempfile

import requests
from grpc_tools import protoc

proto, url, at_ms = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
folder = tempfile.mkdtemp()
if protoc.main(["protoc", f"-I{proto.parent}", f"--python_out={folder}", proto.name]) != 0:
    sys.exit("the .proto does not compile")
sys.path.insert(0, folder)
rw = importlib.import_module(f"{proto.stem}_pb2")


def snappy(data):
    """A block of literals: any decompressor reads it."""
    length, block = len(data), bytearray()
    while length > 0x7F:
        block.append(length & 0x7F | 0x80)
        length >>= 7
    block.append(length)
    for start in range(0, len(data), 60):
        piece = data[start : start + 60]
        block.append((len(piece) - 1) << 2)
        block += piece
    return bytes(block)


request = rw.Request()
request.symbols.extend(["", "__name__", "jobs_done_total", "host", "a", "Jobs done.", "jobs"])
series = request.timeseries.add(labels_refs=[1, 2, 3, 4])
series.samples.add(value=3.0, timestamp=at_ms, start_timestamp=at_ms - 60_000)
series.metadata.type = 1
series.metadata.help_ref, series.metadata.unit_ref = 5, 6
answer = requests.post(
    url,
    data=snappy(request.SerializeToString()),
    headers={
        "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "2.0.0",
        "User-Agent": "a-script/1.0",
    },
    timeout=30,
)
written = [answer.headers.get(f"X-Prometheus-Remote-Write-{what}-Written") for what in ("Samples", "Histograms", "Exemplars")]
print(answer.status_code, *written, answer.text)
