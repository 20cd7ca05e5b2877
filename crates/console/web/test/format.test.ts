import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, bytes, cut, duration, exact, labelText, percent, plain, rate, sampleValue, short, visible } from "../src/format";

test("numbers have three digits and the unit that fits", () => {
  for (const [value, text] of [[0, "0"], [7, "7"], [0.25, "0.25"], [12.34, "12.3"], [999, "999"], [9.999, "10.0"], [99.96, "100"], [999.6, "1.00 k"], [98_234, "98.2 k"], [1_500_000, "1.50 M"], [2.5e9, "2.50 G"], [-1234, "-1.23 k"], [0.0001, "1.0e-4"]] as const) {
    assert.equal(short(value), text);
  }
});

test("what is not known is a dash, and never a zero", () => {
  for (const format of [short, exact, rate, bytes, duration, percent]) {
    assert.equal(format(undefined), "–");
    assert.equal(format(null), "–");
    assert.equal(format(Number.NaN), "–");
  }
});

test("a ledger shows every digit", () => {
  assert.equal(exact(8_123_456), "8\u202f123\u202f456");
  assert.equal(exact(-12_345), "−12\u202f345");
  assert.equal(exact(123), "123");
});

test("bytes go up in steps of 1024", () => {
  for (const [value, text] of [[0, "0 B"], [512, "512 B"], [1023.9, "1.00 KiB"], [1536, "1.50 KiB"], [1 << 20, "1.00 MiB"], [10 * 2 ** 30, "10.0 GiB"]] as const) assert.equal(bytes(value), text);
});

test("lengths of time are in the unit that a person would use", () => {
  for (const [value, text] of [[0, "0 s"], [0.00002, "20.0 µs"], [0.0031, "3.10 ms"], [0.9999, "1.0 s"], [12, "12 s"], [59.9, "1 min"], [720, "12 min"], [86_399, "24 h"], [5400, "1 h 30 min"], [3 * 86_400, "3 d"], [Infinity, "∞"]] as const) assert.equal(duration(value), text);
});

test("how long ago is never in the future", () => {
  assert.equal(ago(2000, 1000), "now");
  assert.equal(ago(0, 5000), "5 s ago");
  assert.equal(ago(0, 7_200_000), "2 h ago");
});

test("an axis has no zeros that say nothing", () => {
  for (const [text, shown] of [["5.00 k/s", "5 k/s"], ["1.50 k", "1.5 k"], ["100/s", "100/s"], ["10.0 ms", "10 ms"], ["2.05", "2.05"]] as const) assert.equal(plain(text), shown);
});

test("labels are in the order of their names, with quotes that cannot be left", () => {
  assert.equal(labelText({ b: "2", a: 'x"y\\' }), '{a="x\\"y\\\\", b="2"}');
});

test("characters that hide or turn a line are shown by number", () => {
  assert.equal(visible("a\u0000b\u202ec\nd"), "a\\u0000b\\u202ec\\u000ad");
  assert.equal(visible("ünï 度 😀"), "ünï 度 😀");
});

test("a long name keeps both ends, and no character is cut in two", () => {
  assert.equal(cut("short", 10), "short");
  assert.equal(cut("abcdefghij", 6), "abc…ij");
  assert.equal(cut("😀".repeat(9), 5), "😀😀😀…😀");
});

test("values that JSON has no number for are read", () => {
  assert.equal(sampleValue("+Inf"), Infinity);
  assert.equal(sampleValue("NaN"), null);
  assert.equal(sampleValue(1.5), 1.5);
});
