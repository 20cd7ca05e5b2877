/** Just enough protobuf and snappy to write an example of remote write in the browser. Pure. */

const utf8 = new TextEncoder();

const varint = (value: bigint): number[] => {
  const out: number[] = [];
  let left = BigInt.asUintN(64, value);
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    out.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return out;
};

const sized = (field: number, bytes: readonly number[]): number[] => [...varint(BigInt((field << 3) | 2)), ...varint(BigInt(bytes.length)), ...bytes];

const text = (field: number, value: string): number[] => sized(field, [...utf8.encode(value)]);

const double = (field: number, value: number): number[] => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...varint(BigInt((field << 3) | 1)), ...bytes];
};

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly { readonly value: number; readonly timestamp: number }[];
}

/** A `prometheus.WriteRequest`: series of labels (1) and samples (2). */
export const writeRequest = (all: readonly Series[]): Uint8Array => {
  const bytes = all.flatMap((series) => {
    const names = Object.keys(series.labels).sort();
    const labels = names.flatMap((name) => sized(1, [...text(1, name), ...text(2, series.labels[name] ?? "")]));
    const samples = series.samples.flatMap((sample) => sized(2, [...double(1, sample.value), ...varint(BigInt(2 << 3)), ...varint(BigInt(sample.timestamp))]));
    return sized(1, [...labels, ...samples]);
  });
  return Uint8Array.from(bytes);
};

/** Snappy's block format with literals alone: larger than it could be, and readable by every snappy. */
export const snappy = (bytes: Uint8Array): Uint8Array => {
  const out = varint(BigInt(bytes.length));
  for (let at = 0; at < bytes.length; at += 60) {
    const part = bytes.subarray(at, at + 60);
    out.push((part.length - 1) << 2, ...part);
  }
  return Uint8Array.from(out);
};

/** The first bytes as a person reads them: offset, hexadecimal, and what is a letter. */
export const hexDump = (bytes: Uint8Array, mostLines: number): string => {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length && lines.length < mostLines; at += 16) {
    const part = [...bytes.subarray(at, at + 16)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${letters}`);
  }
  if (bytes.length > mostLines * 16) lines.push(`… ${bytes.length - mostLines * 16} more bytes`);
  return lines.join("\n");
};
