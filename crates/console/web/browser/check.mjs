// Named checks, one after the other; the last line says how many there were.
let passed = 0;
const failed = [];

export const check = async (name, f) => {
  const started = Date.now();
  try {
    await f();
    passed += 1;
    console.log(`ok ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed.push(name);
    console.log(`FAILED ${name}\n${error.stack ?? error}`);
  }
};

export const finish = () => {
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
};

/** Asks again until it is true, for at most so long; the last answer is in the error. */
export const until = async (what, f, patienceMs = 20_000) => {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await f();
    if (found === true) return;
    if (Date.now() > end) throw new Error(`${what}: ${JSON.stringify(found)}`);
    await new Promise((done) => setTimeout(done, 100));
  }
};
