// Builds the page into ../assets, the same bytes each time; with --check only says whether ../assets is that.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";

const web = dirname(fileURLToPath(import.meta.url));
const assets = join(web, "..", "assets");

/** What a phone on a bad day may have to wait for. */
const MOST_GZIP_BYTES = 300_000;

const bundle = async (entry, options) => {
  const made = await build({
    entryPoints: [join(web, "src", entry)],
    absWorkingDir: web,
    bundle: true,
    minify: true,
    write: false,
    charset: "utf8",
    target: ["es2021", "chrome100", "firefox100", "safari15.4"],
    legalComments: "none",
    logLevel: "warning",
    ...options,
  });
  return Buffer.from(made.outputFiles[0].contents);
};

const hashed = (name, bytes) => {
  const [stem, extension] = name.split(".");
  return `${stem}-${createHash("sha256").update(bytes).digest("hex").slice(0, 10)}.${extension}`;
};

/** Every file of the page by name. */
const make = async () => {
  const licence = "/* With uPlot, Copyright (c) Leon Sorokin, MIT licence */";
  const script = await bundle("main.ts", { format: "iife", banner: { js: licence } });
  const theme = await bundle("first.ts", { format: "iife" });
  const style = await bundle("style.css", { banner: { css: licence } });
  const icon = readFileSync(join(web, "src", "icon.svg"));
  const names = {
    script: hashed("app.js", script),
    theme: hashed("first.js", theme),
    style: hashed("app.css", style),
    icon: hashed("icon.svg", icon),
  };
  const page = readFileSync(join(web, "src", "index.html"), "utf8").replace(/\{\{(\w+)\}\}/g, (_, name) => names[name]);
  const files = new Map([
    ["index.html", Buffer.from(page)],
    [names.script, script],
    [names.theme, theme],
    [names.style, style],
    [names.icon, icon],
  ]);
  return files;
};

const gzip = (bytes) => gzipSync(bytes, { level: 9 });
const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });

/** What is wrong with ../assets, in sentences. Compressed files are compared by what they hold: another zlib packs the same otherwise. */
const differences = (files) => {
  const wrong = [];
  const expected = new Set([...files.keys()].flatMap((name) => [name, `${name}.gz`, `${name}.br`]));
  const there = readdirSync(assets).filter((name) => !name.endsWith(".md"));
  for (const name of there) if (!expected.has(name)) wrong.push(`${name} is not built from the sources`);
  for (const [name, bytes] of files) {
    for (const [suffix, read] of [["", (raw) => raw], [".gz", gunzipSync], [".br", brotliDecompressSync]]) {
      if (!there.includes(name + suffix)) wrong.push(`${name + suffix} is missing`);
      else if (!read(readFileSync(join(assets, name + suffix))).equals(bytes)) wrong.push(`${name + suffix} is not what the sources make`);
    }
  }
  return wrong;
};

const files = await make();
const total = [...files.values()].reduce((sum, bytes) => sum + gzip(bytes).length, 0);
if (total > MOST_GZIP_BYTES) {
  console.error(`the page has ${total} bytes of gzip, the limit is ${MOST_GZIP_BYTES}`);
  process.exit(1);
}
if (process.argv.includes("--check")) {
  const wrong = differences(files);
  for (const line of wrong) console.error(`crates/console/assets: ${line}`);
  if (wrong.length > 0) console.error("run `make console` and commit crates/console/assets");
  process.exit(wrong.length > 0 ? 1 : 0);
}
mkdirSync(assets, { recursive: true });
if (differences(files).length > 0) {
  for (const name of readdirSync(assets)) if (!name.endsWith(".md")) rmSync(join(assets, name));
  for (const [name, bytes] of files) {
    writeFileSync(join(assets, name), bytes);
    writeFileSync(join(assets, `${name}.gz`), gzip(bytes));
    writeFileSync(join(assets, `${name}.br`), brotli(bytes));
  }
}
for (const [name, bytes] of files) console.log(`${name} ${bytes.length} bytes, ${gzip(bytes).length} of gzip`);
console.log(`together ${total} bytes of gzip`);
