/** Why data is missing: what was refused lately, by whom, and the sample as it was sent. */

import { getJson, isCancelled, sentence } from "../api";
import { debounced, fill, h, setText } from "../dom";
import { ago, cut, dateTime, exact, visible } from "../format";
import { handOver } from "../handoff";
import { remember } from "../remember";
import { address } from "../router";
import type { Rejection, Rejections } from "../shapes";
import { turns } from "../turns";
import { field, notice, pill } from "../widgets";
import type { MakeView } from "./view";

const TURN_MS = 5000;

const FILTERS = ["metric", "source", "reason", "tenant"] as const;
const LABELS = { metric: "Metric", source: "Source", reason: "Reason", tenant: "Tenant" };

export const rejections: MakeView = (place) => {
  const inputs = FILTERS.map((name) => {
    const input = h("input", { id: `rejections-${name}`, type: "search", spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder: name === "metric" ? "cpu*" : "any" });
    input.value = place.parameters.get(name) ?? "";
    return { name, input };
  });
  const since = h("select", { id: "rejections-since" }, [["", "any time"], ["5m", "5 min"], ["1h", "1 h"], ["24h", "24 h"]].map(([value, text]) => h("option", { value: value as string }, text)));
  since.value = place.parameters.get("since") ?? "";
  const late = h("input", { id: "rejections-late", type: "checkbox" });
  late.checked = place.parameters.get("late") !== "false";
  const list = h("ol", { class: "rejections" });
  const head = h("p", { class: "soft", role: "status" });
  const notes = h("div");
  const open = new Set<string>();
  let control: AbortController | undefined;
  const later = turns();
  let shown = "";
  let isDone = false;

  const keyOf = (one: Rejection): string => JSON.stringify([one.by, one.store, one.protocol, one.source, one.tenant, one.metric_name, one.reason]);

  const entry = (one: Rejection): HTMLElement => {
    const key = keyOf(one);
    const details = h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span", { class: "entry-count number", title: one.what }, `×${exact(one.count)}`),
        h("span", { class: "entry-main" }, h("code", { class: "code-bad" }, visible(one.reason)), " ", one.metric_name === undefined || one.metric_name === "" ? h("span", { class: "soft" }, one.what) : h("code", {}, cut(visible(one.metric_name), 120)), h("span", { class: "entry-message" }, cut(visible(one.message === "" ? one.summary : one.message), 240))),
        h("span", { class: "entry-from soft" }, one.source === undefined ? "" : cut(visible(one.source), 50), one.tenant === undefined ? "" : ` · ${cut(visible(one.tenant), 40)}`),
        h("span", { class: "entry-by" }, pill("none", one.by === "store" ? `store ${visible(one.store ?? "")}` : (one.protocol ?? one.by))),
        h("time", { class: "entry-time number soft", datetime: one.last_at, title: dateTime(Date.parse(one.last_at)) }, ago(Date.parse(one.last_at), Date.now())),
      ),
      h("p", {}, visible(one.summary)),
      h("p", { class: "soft" }, `First ${dateTime(Date.parse(one.first_at))}, last ${dateTime(Date.parse(one.last_at))}`),
      one.sample === undefined || one.sample === "" ? null : h("pre", {}, visible(one.sample).replace(/\\u000a/g, "\n")),
      one.sample !== undefined && one.sample !== "" && handOver.canExplain(one.protocol) ? h("p", {}, h("a", { class: "button", href: address("explain"), onclick: () => handOver.leave(one.protocol ?? "", one.sample ?? "") }, "Explain it")) : null,
    );
    details.open = open.has(key);
    details.addEventListener("toggle", () => (details.open ? open.add(key) : open.delete(key)));
    return h("li", {}, details);
  };

  const ask = async (): Promise<void> => {
    later.end();
    control?.abort();
    const own = new AbortController();
    control = own;
    const parameters: [string, string][] = inputs.map(({ name, input }) => [name, input.value.trim()]);
    parameters.push(["since", since.value], ["late", String(late.checked)], ["limit", "200"]);
    try {
      const answer = await getJson<Rejections>("api/v1/rejections", parameters, own.signal);
      const text = JSON.stringify(answer);
      const isNews = text !== shown;
      const isRead = list.contains(document.activeElement) || (document.getSelection()?.isCollapsed === false && list.contains(document.getSelection()?.anchorNode ?? null));
      if (isNews && !isRead) {
        shown = text;
        fill(list, answer.rejections.map(entry));
      } else for (const time of list.querySelectorAll("time")) setText(time, ago(Date.parse(time.dateTime), Date.now()));
      const count = answer.rejections.length;
      const held = isNews && isRead ? " There is news: the list waits while you have something in it." : "";
      const words = count === 0 ? "Nothing was refused that matches." : `${count} ${count === 1 ? "entry" : "entries"}${(answer.omitted ?? 0) > 0 ? `, ${answer.omitted} more are not shown` : ""}. Like ones are one entry.`;
      setText(head, `${words}${held}`);
      fill(notes, (answer.notes ?? []).map((note) => h("p", { class: "soft note" }, visible(note))));
    } catch (error) {
      if (own.signal.aborted || isCancelled(error)) return;
      fill(notes, notice("bad", visible(sentence(error))));
      head.textContent = "";
    }
    later.again(TURN_MS, () => void ask());
  };

  const changed = (): void => {
    const parameters = Object.fromEntries(inputs.map(({ name, input }) => [name, input.value.trim()]));
    remember("rejections", { ...parameters, since: since.value, late: late.checked ? undefined : "false" });
    shown = "";
    void ask();
  };
  const soon = debounced(250, () => {
    if (!isDone) changed();
  });
  for (const { input } of inputs) input.addEventListener("input", soon);
  since.addEventListener("change", changed);
  late.addEventListener("change", changed);
  void ask();

  return {
    title: "Rejections",
    element: h(
      "div",
      { class: "view view-rejections" },
      h("div", { class: "view-head" }, h("h1", {}, "Rejections"), head),
      h("div", { class: "toolbar" }, inputs.map(({ name, input }) => field(LABELS[name], input)), field("Since", since), h("div", { class: "field check" }, late, h("label", { for: "rejections-late" }, "and what stores refused later"))),
      notes,
      list,
    ),
    search: () => inputs[0]?.input.focus(),
    destroy: () => {
      isDone = true;
      later.end();
      control?.abort();
    },
  };
};
