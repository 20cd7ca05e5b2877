/** A form that asks what would become of a body, and shows the answer by sample. Nothing is stored by it. */

import { ApiError, ask, isCancelled, json, sentence, url } from "../api";
import { fill, h } from "../dom";
import type { Child } from "../dom";
import { WIRES } from "../examples";
import type { Wire } from "../examples";
import { bytes, cut, dateTime, exact, labelText, visible } from "../format";
import { handOver } from "../handoff";
import { table } from "../table";
import { field, meter, notice, panel, pill } from "../widgets";
import { hexDump } from "../wire";
import type { MakeView } from "./view";

interface Told {
  readonly index: number;
  readonly metric_name: string;
  readonly partition?: number;
  readonly verdict: "accepted" | "refused";
  readonly labels?: Record<string, string>;
  readonly type?: string;
  readonly unit?: string;
  readonly timestamp?: number;
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly original?: string;
}

interface Report {
  readonly protocol: string;
  readonly tenant: string | null;
  readonly source: string | null;
  readonly encoding: string | null;
  readonly body_bytes: number;
  readonly inflated_bytes?: number;
  readonly stored: boolean;
  readonly refusal?: { readonly code: string; readonly message: string };
  readonly answer?: { readonly status: number; readonly body: string };
  readonly objects?: number;
  readonly accepted?: number;
  readonly rejected?: number;
  readonly samples?: readonly Told[];
  readonly samples_omitted?: number;
  readonly records?: readonly { readonly metric_name: string; readonly partition?: number; readonly samples: number; readonly bytes: number }[];
  readonly records_omitted?: number;
  readonly ignored?: Readonly<Record<string, number>>;
  readonly limits?: readonly { readonly setting: string; readonly limit: number; readonly found: number }[];
}

const valueText = (value: unknown): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));

const fact = (name: string, value: Child): HTMLElement => h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, value));

const sampleRows = (report: Report): HTMLElement => {
  const samples = report.samples ?? [];
  const hasPartition = samples.some((sample) => sample.partition !== undefined);
  const found = table<Told>({
    caption: "What would become of each sample",
    empty: "The body has no samples.",
    rowClass: (told) => `verdict-${told.verdict}`,
    cells: [
      { title: "#", show: (told) => told.index, by: (told) => told.index, isNumber: true },
      {
        title: "Verdict",
        show: (told) => (told.verdict === "accepted" ? pill("good", "accepted") : pill("bad", "refused")),
        by: (told) => told.verdict,
      },
      {
        title: "Series, or why not",
        className: "wide",
        show: (told) =>
          told.verdict === "accepted"
            ? h("code", {}, visible(told.metric_name), h("span", { class: "soft" }, visible(labelText(told.labels ?? {}))))
            : [
                h("div", {}, told.metric_name === "" ? h("span", { class: "soft" }, "no name") : h("code", {}, visible(told.metric_name)), " ", h("code", { class: "code-bad" }, told.code ?? "")),
                h("div", { class: "reason" }, visible(told.message ?? "")),
                told.original === undefined ? null : h("pre", { class: "original" }, visible(told.original).replace(/\\u000a/g, "\n")),
              ],
      },
      { title: "Type", show: (told) => [told.type ?? "", told.unit === undefined ? "" : ` (${visible(told.unit)})`], by: (told) => told.type ?? "" },
      { title: "Value", isNumber: true, show: (told) => (told.value === undefined ? "" : cut(valueText(told.value), 60)) },
      { title: "Time", isNumber: true, show: (told) => (told.timestamp === undefined ? "" : h("time", { title: String(told.timestamp) }, dateTime(told.timestamp))) },
      ...(hasPartition ? [{ title: "Partition", isNumber: true, show: (told: Told) => told.partition ?? "", by: (told: Told) => told.partition ?? -1 }] : []),
    ],
  });
  found.set(samples);
  return found.element;
};

const shownReport = (report: Report): Child => {
  const verdict = report.refusal !== undefined
    ? notice("bad", h("strong", {}, "The body is refused: "), h("code", { class: "code-bad" }, report.refusal.code), " ", visible(report.refusal.message))
    : (report.rejected ?? 0) > 0
      ? notice(report.stored ? "warn" : "bad", h("strong", {}, report.stored ? "Partly stored: " : "Nothing is stored: "), `${exact(report.accepted)} accepted, ${exact(report.rejected)} refused`)
      : notice("good", h("strong", {}, report.stored ? "All of it would be stored: " : "Nothing to store: "), `${exact(report.accepted ?? 0)} samples`);
  const records = report.records ?? [];
  const hasPartition = records.some((record) => record.partition !== undefined);
  const recordTable = table<(typeof records)[number]>({
    caption: "Records in the buffer",
    empty: "No record would be written.",
    cells: [
      { title: "Key", className: "wide", show: (record) => h("code", {}, visible(record.metric_name)), by: (record) => record.metric_name },
      { title: "Samples", isNumber: true, show: (record) => exact(record.samples), by: (record) => record.samples },
      { title: "Bytes", hint: "key and value, before compression", isNumber: true, show: (record) => exact(record.bytes), by: (record) => record.bytes },
      ...(hasPartition ? [{ title: "Partition", isNumber: true, show: (record: (typeof records)[number]) => record.partition ?? "", by: (record: (typeof records)[number]) => record.partition ?? -1 }] : []),
    ],
  });
  recordTable.set(records);
  const limits = (report.limits ?? []).map((limit) =>
    h(
      "li",
      {},
      h("span", { class: "limit-name" }, h("code", {}, limit.setting)),
      meter(limit.limit === 0 ? 0 : limit.found / limit.limit, `${exact(limit.found)} of ${exact(limit.limit)}`),
      h("span", { class: "number soft" }, `${exact(limit.found)} of ${exact(limit.limit)}`),
    ),
  );
  const ignored = Object.entries(report.ignored ?? {});
  return [
    verdict,
    h(
      "dl",
      { class: "facts" },
      fact("Protocol", report.protocol),
      fact("Tenant", report.tenant === null ? h("span", { class: "soft" }, "none") : visible(report.tenant)),
      fact("Source", report.source === null ? h("span", { class: "soft" }, "none") : visible(report.source)),
      fact("Body", [bytes(report.body_bytes), report.encoding === null ? "" : ` ${report.encoding}`, report.inflated_bytes === undefined || report.inflated_bytes === report.body_bytes ? "" : `, ${bytes(report.inflated_bytes)} inflated`]),
      report.answer === undefined ? null : fact("The sender is told", [h("span", { class: report.answer.status < 300 ? "status-good" : "status-bad" }, report.answer.status)]),
      ignored.length === 0 ? null : fact("Passed over", ignored.map(([kind, count]) => `${kind} ${count}`).join(", ")),
    ),
    report.answer === undefined || report.answer.body === "" ? null : h("details", {}, h("summary", {}, "The answer's body"), h("pre", {}, visible(report.answer.body).replace(/\\u000a/g, "\n"))),
    report.samples === undefined ? null : panel("Samples", { note: (report.samples_omitted ?? 0) > 0 ? `${exact(report.samples_omitted)} more are not shown` : "" }, sampleRows(report)),
    report.records === undefined ? null : panel("Records", { note: "what the buffer would get, were this body alone" }, recordTable.element),
    limits.length === 0 ? null : panel("Limits touched", { note: "the most that this body has of each" }, h("ul", { class: "limits" }, limits)),
  ];
};

export const explain: MakeView = (place) => {
  let body: Uint8Array | undefined;
  let control: AbortController | undefined;
  const select = h("select", { id: "explain-protocol", name: "protocol" }, WIRES.map((wire) => h("option", { value: wire.id }, wire.name)));
  const path = h("input", { id: "explain-path", name: "path", type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const type = h("input", { id: "explain-type", name: "type", type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const encoding = h("select", { id: "explain-encoding", name: "encoding" }, ["", "gzip", "deflate", "zstd", "snappy"].map((name) => h("option", { value: name }, name === "" ? "none" : name)));
  const tenant = h("input", { id: "explain-tenant", name: "tenant", type: "text", spellcheck: "false", autocomplete: "off", placeholder: "none" });
  const text = h("textarea", { id: "explain-body", name: "body", rows: 14, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  const file = h("input", { id: "explain-file", type: "file", class: "hidden" });
  const fileNote = h("span", { class: "soft" });
  const examples = h("div", { class: "examples", role: "group", "aria-label": "Examples" });
  const result = h("div", { class: "result", role: "region", "aria-live": "polite", "aria-label": "The answer" });
  const send = h("button", { type: "submit", class: "primary" }, "Explain");

  const wire = (): Wire => WIRES.find((one) => one.id === select.value) ?? (WIRES[0] as Wire);

  const setBody = (value: string | Uint8Array, note: string): void => {
    const isText = typeof value === "string";
    body = isText ? undefined : value;
    text.value = isText ? value : hexDump(value, 40);
    text.readOnly = !isText;
    fileNote.textContent = isText ? note : `${note}${note === "" ? "" : ", "}${bytes(value.length)}, shown in hexadecimal`;
  };

  const showWire = (): void => {
    const found = wire();
    path.value = found.path;
    type.value = found.contentType;
    encoding.value = found.encoding ?? "";
    fill(
      examples,
      found.examples.map((example) => {
        const button = h("button", { type: "button", class: "chip" }, example.name);
        button.addEventListener("click", () => {
          path.value = found.path;
          type.value = found.contentType;
          encoding.value = found.encoding ?? "";
          setBody(example.body(Date.now()), "");
          void run();
        });
        return button;
      }),
    );
    const first = found.examples[0];
    if (first !== undefined) setBody(first.body(Date.now()), "");
  };

  const run = async (): Promise<void> => {
    control?.abort();
    const own = new AbortController();
    control = own;
    result.setAttribute("aria-busy", "true");
    const headers = new Headers({ accept: "application/json" });
    if (type.value !== "") headers.set("content-type", type.value);
    if (encoding.value !== "") headers.set("content-encoding", encoding.value);
    if (tenant.value !== "") headers.set("x-scope-orgid", tenant.value);
    for (const [name, value] of Object.entries(wire().headers ?? {})) headers.set(name, value);
    try {
      const sent = body === undefined ? new TextEncoder().encode(text.value) : body;
      const report = await ask(url("api/v1/explain", [["path", path.value]]), { method: "POST", headers, body: sent as BodyInit, signal: own.signal }, json<Report>);
      fill(result, shownReport(report));
      // Below the form it would not be seen.
      if (result.getBoundingClientRect().top > window.innerHeight * 0.8) result.scrollIntoView({ block: "start" });
    } catch (error) {
      if (isCancelled(error)) return;
      const isAbsent = error instanceof ApiError && error.isAbsent;
      fill(
        result,
        notice("bad", h("strong", {}, "It could not be explained: "), visible(sentence(error))),
        isAbsent ? h("p", { class: "soft" }, "A consumer takes no bodies: ask a gateway or a standalone.") : null,
      );
    } finally {
      if (control === own) result.removeAttribute("aria-busy");
    }
  };

  select.addEventListener("change", () => {
    showWire();
    fill(result);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void run();
    }
  });
  const takeFile = (found: File | null | undefined): void => {
    if (!found) return;
    void found.arrayBuffer().then((buffer) => setBody(new Uint8Array(buffer), visible(cut(found.name, 60))));
  };
  file.addEventListener("change", () => takeFile(file.files?.[0]));
  text.addEventListener("dragover", (event) => event.preventDefault());
  text.addEventListener("drop", (event) => {
    if (event.dataTransfer !== null && event.dataTransfer.files.length > 0) {
      event.preventDefault();
      takeFile(event.dataTransfer.files[0]);
    }
  });
  const choose = h("button", { type: "button" }, "Choose a file…");
  choose.addEventListener("click", () => file.click());
  const clear = h("button", { type: "button" }, "Clear");
  clear.addEventListener("click", () => {
    setBody("", "");
    text.focus();
  });

  const form = h(
    "form",
    { class: "explain-form" },
    h("div", { class: "fields" }, field("Protocol", select), field("Path", path), field("Content-Type", type), field("Content-Encoding", encoding, "of the body as it is, or of the file"), field("Tenant", tenant, "X-Scope-OrgID")),
    h("div", { class: "examples-line" }, h("span", { class: "soft" }, "Try"), examples),
    h("label", { for: "explain-body", class: "hidden" }, "Body"),
    text,
    h("div", { class: "buttons" }, send, choose, file, clear, fileNote, h("span", { class: "push soft" }, h("kbd", {}, "Ctrl"), " ", h("kbd", {}, "Enter"))),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  file.setAttribute("aria-label", "A file as the body");
  file.tabIndex = -1;
  const asked = place.parameters.get("protocol");
  if (asked !== undefined && WIRES.some((one) => one.id === asked)) select.value = asked;
  const given = handOver.take();
  if (given !== undefined) select.value = given.wire;
  showWire();
  if (given !== undefined) {
    setBody(given.body, "");
    void run();
  }
  return {
    title: "Explain",
    element: h(
      "div",
      { class: "view view-explain" },
      h("div", { class: "view-head" }, h("h1", {}, "Explain"), h("p", { class: "soft" }, "What would become of a body, sample by sample. It goes the same way as a real one up to the buffer; nothing is stored, counted or taken from a quota.")),
      h("div", { class: "split" }, form, result),
    ),
    search: () => text.focus(),
    destroy: () => control?.abort(),
  };
};
