import assert from "node:assert/strict";
import { test } from "node:test";
import { KnownNames } from "../src/names";
import { Palette } from "../src/palette";
import { chosenOf, chosenText, coveredS, markOf, narrowed } from "../src/query";
import { changed, parse } from "../src/router";
import { fullness, numberOf } from "../src/views/fullness";
import { unknown } from "../src/views/ledger";
import { storesInWords } from "../src/views/states";

test("stores are green only when all of them write", () => {
  const words = (...states: string[]): string[] => storesInWords(states.map((state, at) => ({ name: `s${at}`, state }))).map((one) => `${one.tone} ${one.words}`);
  assert.deepEqual(words("ok"), ["good 1 store writing"]);
  assert.deepEqual(words("ok", "ok"), ["good 2 stores writing"]);
  assert.deepEqual(words("starting"), ["none 1 store starting"]);
  assert.deepEqual(words("starting", "ok", "starting"), ["none 2 stores starting"]);
  assert.deepEqual(words("retrying", "ok", "starting"), ["warn s0 retrying", "none 1 store starting"]);
  assert.deepEqual(words("behind", "ok"), ["warn s0 behind"]);
  assert.deepEqual(words(), []);
});

test("a line of the ledger without a number says whether it is elsewhere or not known yet", () => {
  assert.equal(unknown({}), "elsewhere");
  assert.equal(unknown({ accepted: 0 }), "not known yet");
});

test("headroom is loud by what is gone of the retention, not beside the best partition", () => {
  assert.equal(fullness(3600, true, 3600, 7200), 0.5);
  assert.equal(fullness(60, true, 60, 6000), 0.99);
  assert.equal(fullness(9000, true, 9000, 7200), 0);
  assert.equal(fullness(50, false, 100, 7200), 0.5);
  assert.deepEqual([fullness(null, true, 0, 7200), fullness(0, false, 0, 7200), fullness(5, true, 5, 0)], [0, 0, 0]);
  assert.deepEqual([numberOf("12"), numberOf("-1"), numberOf("1x"), numberOf(undefined)], [12, undefined, undefined, undefined]);
});

test("a colour is free again when its series is not shown any more", () => {
  const palette = new Palette(3);
  assert.deepEqual(["a", "b", "c", "d"].map((name) => palette.of(name)), [0, 1, 2, 2]);
  palette.keep(["b", "e"]);
  assert.deepEqual([palette.of("b"), palette.of("e"), palette.of("f")], [1, 0, 2]);
});

test("a name that stopped does not keep its rate", () => {
  const known = new KnownNames();
  known.list([{ metric_name: "a", samples_per_s: 5 }, { metric_name: "b" }], "a");
  known.list([{ metric_name: "b" }], "a");
  // It was cut from the list, perhaps; it is asked for alone.
  assert.equal(known.get("a")?.samples_per_s, 5);
  known.one("a", undefined);
  assert.equal(known.has("a"), false);
  known.list([{ metric_name: "a" }], "a");
  assert.deepEqual(known.get("a"), { metric_name: "a" });
  known.list([], "");
  assert.equal(known.get("a"), undefined);
});

test("what the series told of a name stays, where the list does not say it", () => {
  const known = new KnownNames();
  known.learn("a", "gauge");
  assert.deepEqual(known.get("a"), { metric_name: "a", type: "gauge" });
  known.list([{ metric_name: "a", unit: "s" }], "a");
  assert.deepEqual(known.get("a"), { metric_name: "a", unit: "s", type: "gauge" });
  known.list([{ metric_name: "a", type: "counter" }], "a");
  assert.equal(known.get("a")?.type, "counter");
});

test("an address keeps what is not changed, and is of its own view alone", () => {
  assert.equal(changed("#/metrics?name=up&range=1h", "metrics", { search: "u p", range: undefined }), "#/metrics?name=up&search=u+p");
  assert.equal(changed("#/metrics?search=cpu", "metrics", { search: "" }), "#/metrics");
  assert.equal(changed("#/explain", "metrics", { search: "cpu" }), undefined);
  assert.equal(parse(changed("#/partitions", "partitions", { partition: "3" }) ?? "").parameters.get("partition"), "3");
});

test("chosen series are in an address and come back from it", () => {
  const keys = ['{host="web-01"}', '{host="web-02"}', "{}", 'acme/{note="<b>&,"}'];
  const marks = new Set(keys.map(markOf));
  assert.equal(marks.size, keys.length);
  const text = chosenText(marks) ?? "";
  assert.match(text, /^[0-9a-z.]+$/);
  assert.deepEqual(chosenOf(text), marks);
  assert.deepEqual(chosenOf(chosenText(new Set())), new Set());
  assert.equal(chosenOf(chosenText(undefined)), undefined);
});

test("one series is asked for by what was typed and by its labels", () => {
  assert.equal(narrowed('{region=~"eu.*",}', { host: 'a"b', "http.route": "/" }), '{region=~"eu.*",host="a\\"b","http.route"="/"}');
  assert.equal(narrowed("", {}), "");
});

test("of an answer that was cut it is said how far it reaches back", () => {
  assert.equal(coveredS([{ timestamp: 70_000 }, { timestamp: 60_400 }], 100_000), 40);
  assert.equal(coveredS([], 100_000), 0);
});
