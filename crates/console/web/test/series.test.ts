import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../src/history";
import { aligned, perSecond, stacked, thinned } from "../src/series";

test("a stack adds up what is below, and a gap stays a gap", () => {
  assert.deepEqual(stacked([[1, 2, null], [3, null, 5], [1, 1, 1]]), [[1, 2, null], [4, null, 5], [5, 3, 6]]);
});

test("a small picture has the means of what falls together, up to the newest", () => {
  assert.deepEqual(thinned([1, 2, 3], 3), [1, 2, 3]);
  assert.deepEqual(thinned([9, 1, 3, null, 5], 3), [9, 2, 5]);
  assert.deepEqual(thinned([null, null, 4, 6], 2), [null, 5]);
});

test("series with times of their own share an axis", () => {
  const { times, values } = aligned([[{ time: 1, value: 1 }, { time: 3, value: 3 }], [{ time: 2, value: null }]]);
  assert.deepEqual(times, [1, 2, 3]);
  assert.deepEqual(values, [[1, undefined, 3], [undefined, null, undefined]]);
});

test("a counter that starts again from 0 has no negative rate", () => {
  const points = [{ time: 0, value: 100 }, { time: 1000, value: 110 }, { time: 2000, value: 4 }, { time: 2000, value: 4 }, { time: 4000, value: 8 }];
  assert.deepEqual(perSecond(points), [{ time: 1000, value: 10 }, { time: 2000, value: 4 }, { time: 4000, value: 2 }]);
});

test("a history goes on where the server's ends, and forgets what is too old", () => {
  const history = new History(3);
  history.reset({ at_ms: [1000, 2000], columns: { accepted: [1, 2], "protocol:json": [1, null] } });
  history.push(3000, { accepted: 3, "protocol:text": 7 });
  // Repeated by a new connection.
  history.push(3000, { accepted: 99 });
  history.push(4000, { accepted: 4 });
  assert.deepEqual(history.at(60), [2000, 3000, 4000]);
  assert.deepEqual(history.column("accepted", 60), [2, 3, 4]);
  assert.deepEqual(history.column("accepted", 1), [3, 4]);
  assert.deepEqual(history.column("unheard of", 60), [null, null, null]);
  assert.equal(history.has("protocol:json"), false);
  assert.deepEqual(history.family("protocol:", 60, 8), [{ name: "text", values: [null, 7, null] }]);
});

test("many of a kind are the largest ones and the others", () => {
  const history = new History(10);
  history.push(1000, Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`tenant:t${String(at).padStart(2, "0")}`, at])));
  const names = history.family("tenant:", 60, 4);
  assert.deepEqual(names.map((one) => one.name), ["t09", "t10", "t11", "9 others"]);
  assert.deepEqual(names[3]?.values, [36]);
});
