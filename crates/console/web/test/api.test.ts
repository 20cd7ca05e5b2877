import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ApiError, getJson, isCancelled } from "../src/api";
import { turns } from "../src/turns";
import { Pretend, asJson, settled } from "./pretend";

let world: Pretend;
beforeEach(() => {
  world = new Pretend();
});

/** An answer whose body has a beginning only, and ends with the question. */
const stalled = (signal: AbortSignal): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"names": ['));
        signal.addEventListener("abort", () => controller.error(new DOMException("aborted", "AbortError")));
      },
    }),
  );

const outcome = (asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error);

test("a body that stalls ends with the time limit", async () => {
  const found = outcome(getJson("api/v1/names"));
  const question = world.next("/api/v1/names");
  question.answer(stalled(question.signal));
  await settled();
  await world.pass(30_000);
  const error = await found;
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.code, error.message], ["timeout", "no answer within 30 s"]);
});

test("a question that nobody asks any more is cancelled in the middle of its body", async () => {
  const control = new AbortController();
  const found = outcome(getJson("api/v1/names", [], control.signal));
  const question = world.next("/api/v1/names");
  question.answer(stalled(question.signal));
  await settled();
  control.abort();
  assert.equal(isCancelled(await found), true);
});

test("an answer that came in full while nobody wanted it any more is not given", async () => {
  const control = new AbortController();
  const found = outcome(getJson("api/v1/names", [], control.signal));
  world.next("/api/v1/names").answer(asJson({ names: [] }));
  control.abort();
  assert.equal(isCancelled(await found), true);
});

test("what is not JSON, and what is refused, is said", async () => {
  const asked = [new Response("<html>"), new Response('{"error":"there is no x here","code":"not_found"}', { status: 404 }), new Response("a proxy's words", { status: 502 })].map((answer) => {
    const found = outcome(getJson("api/v1/names"));
    world.next("/api/v1/names").answer(answer);
    return found;
  });
  const errors = (await Promise.all(asked)) as ApiError[];
  assert.deepEqual(
    errors.map((error) => [error.status, error.code, error.message, error.isAbsent]),
    [
      [0, "unreadable", "the server's answer is not JSON", false],
      [404, "not_found", "there is no x here", true],
      [502, "", "a proxy's words", false],
    ],
  );
});

test("a page that nobody looks at asks nothing until somebody does", async () => {
  const later = turns();
  let asked = 0;
  const ask = (): void => {
    asked += 1;
    later.again(5000, ask);
  };
  ask();
  await world.pass(10_000);
  assert.equal(asked, 3);
  world.isHidden = true;
  await world.pass(600_000);
  assert.equal(asked, 3);
  world.isHidden = false;
  await world.pass(5000);
  assert.equal(asked, 4);
  later.end();
  await world.pass(60_000);
  assert.equal(asked, 4);
});
