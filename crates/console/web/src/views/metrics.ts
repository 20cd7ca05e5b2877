/** The metric browser: find a name, see whose it is and what labels it has, and plot it. */

import { ApiError, getJson, isCancelled, sentence } from "../api";
import { debounced, fill, h, refill, setText } from "../dom";
import { ago, bytes, cut, exact, rate, short, visible } from "../format";
import type { Live } from "../live";
import { KnownNames } from "../names";
import { remember } from "../remember";
import { address } from "../router";
import type { Place } from "../router";
import type { Heat, Name, Names } from "../shapes";
import { turns } from "../turns";
import { detail } from "./metric";
import type { Detail } from "./metric";
import type { MakeView } from "./view";

const TURN_MS = 5000;
const LISTED = 100;

const fact = (name: string, value: string | undefined): HTMLElement | null => (value === undefined || value === "" ? null : h("div", { class: "fact" }, h("dt", {}, name), h("dd", {}, value)));

/** What is known of a name, in a line of facts. */
const facts = (name: Name): HTMLElement =>
  h(
    "dl",
    { class: "facts" },
    fact("Type", name.type === undefined ? "not said" : visible(name.type)),
    fact("Unit", name.unit === undefined ? undefined : visible(name.unit)),
    fact("Samples", name.samples_per_s === undefined ? undefined : rate(name.samples_per_s)),
    fact("Bytes", name.bytes_per_s === undefined ? undefined : `${bytes(name.bytes_per_s)}/s`),
    fact("Series", name.series === undefined ? undefined : short(name.series)),
    fact("Partition", name.partition === undefined ? undefined : `${name.partition}${(name.lanes ?? 1) > 1 ? ` and ${(name.lanes ?? 1) - 1} after it` : ""}`),
    fact("Tenants", (name.tenants ?? []).map(visible).join(", ")),
    fact("Senders", (name.senders ?? []).map(visible).join(", ")),
    fact("Last sample", name.last_ms === undefined ? undefined : ago(name.last_ms, Date.now())),
  );

export const metrics: MakeView = (place: Place, _: Live) => {
  const input = h("input", { id: "metric-search", type: "search", spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder: "part of a name" });
  input.value = place.parameters.get("search") ?? "";
  const count = h("p", { class: "soft", role: "status" });
  const list = h("ul", { class: "names" });
  const aside = h("div", { class: "metric-detail" });
  let open: Detail | undefined;
  let openName = "";
  const known = new KnownNames();
  /** The search as the address has it. */
  let searched = input.value.trim();
  let control: AbortController | undefined;
  const later = turns();
  const back = h("a", { class: "back" }, "← all names");
  let factsHost: HTMLElement | undefined;
  let helpHost: HTMLElement | undefined;

  const link = (name: Name): HTMLElement => {
    const anchor = h(
      "a",
      { href: address("metrics", { name: name.metric_name, search: searched }), title: visible(name.metric_name), "aria-current": name.metric_name === openName ? "true" : null },
      h("span", { class: "name" }, cut(visible(name.metric_name), 90)),
      h("span", { class: "number soft" }, name.samples_per_s === undefined ? (name.series === undefined ? "" : `${short(name.series)} series`) : rate(name.samples_per_s)),
    );
    return h("li", {}, anchor);
  };

  const showFacts = (): void => {
    const name = known.get(openName);
    if (factsHost !== undefined) fill(factsHost, name === undefined ? h("p", { class: "soft" }, "This process has not seen this name lately.") : facts(name));
    if (helpHost !== undefined) setText(helpHost, name?.help === undefined ? "" : visible(name.help));
  };

  const show = (names: readonly Name[], words: string): void => {
    searched = input.value.trim();
    remember("metrics", { search: searched });
    back.href = address("metrics", { search: searched });
    refill(list, names.map(link));
    setText(count, words);
    showFacts();
  };

  /** Where names are not listed, those that send most are known. */
  const fromHeat = async (signal: AbortSignal): Promise<void> => {
    const heat = await getJson<Heat>("api/v1/heat", [["limit", "1000"]], signal);
    const wanted = input.value.trim().toLowerCase();
    const names = heat.metrics.map((one) => ({ metric_name: one.metric_name, samples_per_s: one.samples_per_second, bytes_per_s: one.bytes_per_second }));
    known.list(names, "");
    show(
      names.filter((one) => one.metric_name.toLowerCase().includes(wanted)).slice(0, LISTED),
      `${exact(names.filter((one) => one.metric_name.toLowerCase().includes(wanted)).length)} that sent something in the last window`,
    );
  };

  const find = async (): Promise<void> => {
    later.end();
    control?.abort();
    const own = new AbortController();
    control = own;
    try {
      const search = input.value.trim();
      const answer = await getJson<Names>("api/v1/names", [["search", search], ["limit", String(LISTED)]], own.signal);
      const all = search === "" ? `${exact(answer.known)} names` : `${exact(answer.matching)} of ${exact(answer.known)} names`;
      known.list(answer.names, openName);
      show(answer.names, `${all}${answer.matching > answer.names.length ? `, the first ${answer.names.length} are listed` : ""}`);
      if (openName !== "" && !answer.names.some((name) => name.metric_name === openName)) {
        const asked = openName;
        const one = await getJson<Names>("api/v1/names", [["search", asked], ["limit", "50"]], own.signal);
        const alone = one.names.find((name) => name.metric_name === asked);
        // It may be among those that were cut off.
        if (alone !== undefined || one.matching <= one.names.length) known.one(asked, alone);
        showFacts();
      }
    } catch (error) {
      if (own.signal.aborted || isCancelled(error)) return;
      const isAbsent = error instanceof ApiError && error.isAbsent;
      await (isAbsent ? fromHeat(own.signal) : Promise.reject(error)).catch((second: unknown) => {
        if (!isCancelled(second)) show([], isAbsent ? "This process lists no names; press Enter to open the one that you typed." : sentence(second));
      });
    }
    if (!own.signal.aborted) later.again(TURN_MS, () => void find());
  };

  const openDetail = (found: Place): void => {
    const name = found.parameters.get("name") ?? "";
    const search = found.parameters.get("search") ?? "";
    if (search !== searched) {
      searched = search;
      input.value = search;
      void find();
    }
    for (const anchor of list.querySelectorAll("a")) {
      if (anchor.querySelector(".name")?.textContent === cut(visible(name), 90)) anchor.setAttribute("aria-current", "true");
      else anchor.removeAttribute("aria-current");
    }
    if (name === openName && open !== undefined) {
      open.go(found);
      return;
    }
    open?.destroy();
    open = undefined;
    openName = name;
    element.classList.toggle("has-detail", name !== "");
    if (name === "") {
      fill(aside, h("p", { class: "empty" }, "Choose a name to see its labels, its senders and its samples."));
      return;
    }
    factsHost = h("div");
    helpHost = h("p", { class: "help" });
    open = detail(
      name,
      found,
      () => known.get(name),
      (type) => {
        if (known.get(name)?.type !== undefined) return;
        known.learn(name, type);
        showFacts();
      },
    );
    back.href = address("metrics", { search: searched });
    fill(aside, back, h("h2", { class: "metric-name" }, visible(name)), helpHost, factsHost, open.element);
    showFacts();
  };

  let isDone = false;
  const soon = debounced(200, () => {
    if (!isDone) void find();
  });
  input.addEventListener("input", soon);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      const first = list.querySelector("a");
      const typed = input.value.trim();
      const target = known.has(typed) || first === null ? (typed === "" ? null : address("metrics", { name: typed, search: typed })) : first.getAttribute("href");
      if (target !== null) location.hash = target;
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      list.querySelector("a")?.focus();
    }
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = [...list.querySelectorAll("a")];
    const at = all.findIndex((anchor) => anchor === document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    if (event.key === "ArrowUp" && at === 0) input.focus();
    else all[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  });

  const element = h(
    "div",
    { class: "view view-metrics" },
    h("div", { class: "view-head" }, h("h1", {}, "Metrics"), count),
    h("div", { class: "browser" }, h("div", { class: "finder" }, h("label", { for: "metric-search", class: "hidden" }, "Search names"), input, list), aside),
  );
  openDetail(place);
  void find();
  return {
    title: "Metrics",
    element,
    go: openDetail,
    search: () => {
      input.focus();
      input.select();
    },
    destroy: () => {
      isDone = true;
      later.end();
      control?.abort();
      open?.destroy();
    },
  };
};
