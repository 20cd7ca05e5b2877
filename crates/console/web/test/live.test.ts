import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Live } from "../src/live";
import { FakeSource, Pretend, asJson, settled } from "./pretend";

const OVERVIEW = "/api/v1/overview";
let world: Pretend;
let live: Live;

const snapshot = (): unknown => ({ at_ms: world.nowMs, point: { accepted: 1 } });
const stream = (): FakeSource => FakeSource.open[0] as FakeSource;

beforeEach(async () => {
  world = new Pretend();
  live = new Live();
  live.start();
  world.next(OVERVIEW).answer(asJson(snapshot()));
  await settled();
});

test("a stream that goes silent is old, then ended, and its place is taken by questions until another is tried", async () => {
  const first = stream();
  first.say("snapshot", snapshot());
  assert.equal(live.state, "live");
  await world.pass(6000);
  assert.equal(live.state, "stale");
  assert.equal(first.isClosed, false);
  await world.pass(5000);
  assert.equal(first.isClosed, true);
  world.next(OVERVIEW).answer(asJson(snapshot()));
  await settled();
  assert.deepEqual([live.state, live.why], ["polling", "the stream of numbers says nothing"]);
  for (let asked = 0; FakeSource.open.length === 0; asked += 1) {
    assert.ok(asked < 20, "no other stream is tried");
    await world.pass(2000);
    if (FakeSource.open.length === 0) world.next(OVERVIEW).answer(asJson(snapshot()));
    await settled();
  }
  assert.equal(live.state, "polling");
  stream().say("snapshot", snapshot());
  assert.deepEqual([live.state, live.why], ["live", ""]);
});

test("a stream that never says anything is given up as well", async () => {
  const first = stream();
  await world.pass(11_000);
  assert.equal(first.isClosed, true);
  world.next(OVERVIEW).fail();
  await settled();
  assert.deepEqual([live.state, live.why], ["lost", "the server does not answer"]);
  await world.pass(1000);
  assert.equal(FakeSource.open.length, 1);
});

test("however often it is tried at once, one stream is open", async () => {
  stream().say("snapshot", snapshot());
  stream().end();
  await settled();
  const late = world.next(OVERVIEW);
  live.now();
  live.now();
  assert.equal(FakeSource.open.length, 1);
  stream().say("snapshot", snapshot());
  assert.equal(live.state, "live");
  // What the attempt before finds out comes too late, and begins nothing.
  late.answer(asJson(snapshot()));
  await settled();
  const kept = stream();
  for (let second = 0; second < 30; second += 1) {
    kept.say("snapshot", snapshot());
    await world.pass(1000);
  }
  assert.equal(live.state, "live");
  assert.deepEqual(FakeSource.open, [kept]);
  assert.deepEqual(world.asked, []);
});

test("an attempt that failed too late does not say that the connection is lost", async () => {
  stream().end();
  await settled();
  const late = world.next(OVERVIEW);
  live.now();
  stream().say("snapshot", snapshot());
  late.fail();
  await settled();
  assert.equal(live.state, "live");
});

test("numbers of before a pause are old until others come", async () => {
  stream().say("snapshot", snapshot());
  world.isHidden = true;
  world.happens("visibilitychange");
  for (let second = 0; second < 59; second += 1) {
    stream().say("snapshot", snapshot());
    await world.pass(1000);
  }
  assert.equal(live.state, "live");
  await world.pass(60_000);
  assert.deepEqual([live.state, FakeSource.open.length], ["paused", 0]);
  const states: string[] = [];
  live.on(() => states.push(live.state));
  world.isHidden = false;
  world.happens("visibilitychange");
  assert.deepEqual([live.state, FakeSource.open.length, states], ["stale", 1, ["stale"]]);
  stream().say("snapshot", snapshot());
  assert.equal(live.state, "live");
});
