import assert from "node:assert/strict";
import { test } from "node:test";
import { bySeries, isCounter, labelUse, matcher, pointsOf, selector, seriesKey, stepOf, withoutTenant } from "../src/query";
import { address, parse } from "../src/router";

test("samples are told apart by labels and tenant, in the order of their times", () => {
  const row = (labels: Record<string, string>, timestamp: number, value: unknown, tenant?: string): object => ({ metric_name: "x", labels, timestamp, value, ...(tenant === undefined ? {} : { tenant }) });
  const found = bySeries([row({ a: "1" }, 2, 20), row({ a: "1" }, 1, 10), row({ a: "1" }, 1, "NaN", "t")] as never);
  assert.deepEqual([...found], [['{a="1"}', [{ time: 1, value: 10 }, { time: 2, value: 20 }]], ['t/{a="1"}', [{ time: 1, value: null }]]]);
});

test("a tenant is named where there are several", () => {
  assert.deepEqual(withoutTenant(['t/{a="1"}', 't/{a="2/{"}']), ['{a="1"}', '{a="2/{"}']);
  assert.deepEqual(withoutTenant(["t/{}", "{}"]), ["t/{}", "{}"]);
  assert.deepEqual(withoutTenant([]), []);
});

test("a counter is known by its type, and by its name where none is said", () => {
  assert.equal(isCounter("http_requests_total", undefined), true);
  assert.equal(isCounter("http_requests_total", "gauge"), false);
  assert.equal(isCounter("temperature", undefined), false);
  assert.equal(isCounter("temperature", "counter"), true);
});

test("a range has a few hundred steps", () => {
  for (const seconds of [300, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600]) {
    const steps = seconds / stepOf(seconds);
    assert.ok(steps >= 100 && steps <= 320, `${seconds}: ${steps}`);
  }
});

test("aggregates are points, and what does not exist is a gap", () => {
  const row = { metric_name: "x", labels: {}, timestamps: [1, 2], values: { mean: [1.5, null] } };
  assert.deepEqual(pointsOf(row, "mean"), [{ time: 1, value: 1.5 }, { time: 2, value: null }]);
  assert.deepEqual(pointsOf(row, "p95"), [{ time: 1, value: null }, { time: 2, value: null }]);
  assert.equal(seriesKey(row), "{}");
});

test("labels are counted by value", () => {
  const rows = [{ a: "1", b: "x" }, { a: "2", b: "x" }].map((labels) => ({ metric_name: "m", labels }));
  assert.deepEqual(labelUse(rows), [
    { name: "a", values: [{ value: "1", series: 1 }, { value: "2", series: 1 }] },
    { name: "b", values: [{ value: "x", series: 2 }] },
  ]);
});

test("a matcher quotes what PromQL would not take plain", () => {
  assert.equal(matcher("host", 'a"b'), 'host="a\\"b"');
  assert.equal(matcher("service.name", "x"), '"service.name"="x"');
  assert.equal(selector(' host="a" '), '{host="a"}');
  assert.equal(selector("{}"), "{}");
  assert.equal(selector("  "), "");
});

test("an address brings back its place, whatever the name", () => {
  const name = '<b>&?#"%zz ü';
  const place = parse(address("metrics", { name, search: "" }));
  assert.equal(place.view, "metrics");
  assert.deepEqual([...place.parameters], [["name", name]]);
  for (const odd of ["", "#", "#/", "#/nowhere?x=1", "#/__proto__", "#//evil"]) assert.equal(parse(odd).view, "overview");
});
