"""A reader of the topic that knows remote write 2.0 and nothing of Sluice: base64 records in, samples as JSON out.

Usage: read_remote_write.py PROTO_FILE < one record a line
"""

import base64
import importlib
import json
import pathlib
import sys
import tempfile

from grpc_tools import protoc


def compiled(proto):
    folder = tempfile.mkdtemp()
    if protoc.main(["protoc", f"-I{proto.parent}", f"--python_out={folder}", proto.name]) != 0:
        sys.exit("the .proto does not compile")
    sys.path.insert(0, folder)
    return importlib.import_module(f"{proto.stem}_pb2")


def main():
    v2 = compiled(pathlib.Path(sys.argv[1]))
    types = ["unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"]
    samples = []
    for line in sys.stdin:
        request = v2.Request.FromString(base64.b64decode(line))
        symbols = request.symbols
        if symbols[0] != "":
            sys.exit("the first symbol is not empty")
        for series in request.timeseries:
            refs = list(series.labels_refs)
            pairs = [(symbols[name], symbols[value]) for name, value in zip(refs[::2], refs[1::2])]
            if pairs != sorted(pairs):
                sys.exit(f"labels are not sorted: {pairs}")
            labels = dict(pairs)
            name = labels.pop("__name__")
            for sample in series.samples:
                samples.append(
                    {
                        "metric_name": name,
                        "timestamp": sample.timestamp,
                        "value": sample.value,
                        "labels": labels,
                        "type": types[series.metadata.type],
                        "unit": symbols[series.metadata.unit_ref],
                        "help": symbols[series.metadata.help_ref],
                    }
                )
    print(json.dumps(samples))


if __name__ == "__main__":
    main()
