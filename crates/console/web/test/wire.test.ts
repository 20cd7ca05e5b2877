import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { WIRES } from "../src/examples";
import { handOver } from "../src/handoff";
import { hexDump, snappy, writeRequest } from "../src/wire";

/** Literals alone, as `snappy` writes them. */
const unsnappy = (bytes: Uint8Array): number[] => {
  let at = 0;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  at += 1;
  const out: number[] = [];
  while (at < bytes.length) {
    const length = ((bytes[at] ?? 0) >> 2) + 1;
    out.push(...bytes.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return out;
};

test("snappy's literals hold what was put in, whatever its length", () => {
  for (const length of [1, 59, 60, 61, 120, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => at % 251);
    assert.deepEqual(unsnappy(snappy(bytes)), [...bytes]);
  }
});

test("a write request has the bytes that Prometheus would send", () => {
  const bytes = writeRequest([{ labels: { __name__: "up" }, samples: [{ value: 1, timestamp: 1_700_000_000_000 }] }]);
  const expected = "0a20" + "0a0e" + "0a085f5f6e616d655f5f" + "12027570" + "1210" + "09000000000000f03f" + "1080d095ffbc31";
  assert.equal([...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(""), expected.replace("0a20", `0a${(expected.length / 2 - 2).toString(16).padStart(2, "0")}`));
});

test("bytes are shown as offset, hexadecimal and letters", () => {
  assert.equal(hexDump(Uint8Array.from([0x41, 0, 0x7a]), 4), `000000  ${"41 00 7a".padEnd(47)}  A·z`);
  assert.match(hexDump(new Uint8Array(100), 2), /68 more bytes$/);
});

test("every protocol has an example with a name of its own", () => {
  for (const wire of WIRES) {
    const names = wire.examples.map((example) => example.name);
    assert.ok(names.length > 0);
    assert.equal(new Set(names).size, names.length);
    for (const example of wire.examples) assert.ok(example.body(1_700_000_000_000).length > 0);
  }
});

test("a refused part becomes a body of its protocol, once", () => {
  assert.equal(handOver.canExplain("constructor"), false);
  assert.equal(handOver.canExplain("otlp_http"), false);
  handOver.leave("json", '{"a":1}');
  assert.deepEqual(handOver.take(), { wire: "json", body: '{"metrics": [{"a":1}]}' });
  assert.equal(handOver.take(), undefined);
});

test("no text becomes markup, and nothing inline is made that a content policy would refuse", () => {
  const web = process.env["CONSOLE_WEB"] ?? ".";
  const folders = ["src", "src/views"].map((folder) => join(web, folder));
  const files = folders.flatMap((folder) => readdirSync(folder).filter((name) => /\.(ts|html)$/.test(name)).map((name) => join(folder, name)));
  assert.ok(files.length > 20);
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|setAttribute\("style"|style:\s*["'`]|<style|onclick="/, file);
    assert.ok(text.split("\n").length <= 500, `${file} is longer than 500 lines`);
  }
});
