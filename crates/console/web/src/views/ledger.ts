/** The loss ledger as a balance: what went in, what came out, and whether that is the same. */

import { h } from "../dom";
import type { Child } from "../dom";
import { exact, visible } from "../format";
import type { Ledger, StoreLedger } from "../shapes";
import { pill } from "../widgets";
import type { Tone } from "../widgets";

/** Green is for what balances, and for nothing else. */
export const ledgerTone = (state: string): Tone => {
  if (state === "balanced") return "good";
  if (state === "missing") return "bad";
  return state === "partial" ? "none" : "warn";
};

/** What a line says that has no number: where one side is in other processes it is there, else it is still being read. */
export const unknown = (store: Pick<StoreLedger, "accepted">): string => (store.accepted === undefined ? "elsewhere" : "not known yet");

const line = (name: string, value: number | undefined, title: string, className = "", without = "elsewhere"): HTMLElement =>
  h("tr", { class: className || null }, h("th", { scope: "row", title }, name), h("td", { class: "number" }, value === undefined ? h("span", { class: "soft" }, without) : exact(value)));

const book = (title: string, state: string, left: readonly HTMLElement[], right: readonly HTMLElement[], difference: number, note: string | undefined): HTMLElement =>
  h(
    "section",
    { class: "book" },
    h("header", {}, h("h3", {}, title), pill(ledgerTone(state), state)),
    h("div", { class: "sides" }, h("table", {}, h("caption", { class: "hidden" }, `${title}: in`), h("tbody", {}, left)), h("div", { class: "equals", "aria-hidden": "true" }, state === "missing" || state === "repeated" ? "≠" : state === "partial" ? "?" : "="), h("table", {}, h("caption", { class: "hidden" }, `${title}: out`), h("tbody", {}, right))),
    difference === 0 ? null : h("p", { class: state === "missing" ? "status-bad" : "status-warn" }, difference > 0 ? `${exact(difference)} are missing` : `${exact(-difference)} too many`),
    note === undefined ? null : h("p", { class: "soft" }, visible(note)),
  );

const storeBook = (store: StoreLedger): HTMLElement => {
  const left = [line("accepted", store.accepted, "durable in the buffer since this process started")];
  if ((store.carried_over ?? 0) > 0) left.push(line("carried over", store.carried_over, "in the buffer when this process started"));
  const right = [line("written", store.written, "the store has them")];
  // What is nothing is not said, but for the lines that everybody looks for.
  right.push(line("dead-lettered", store.dead_lettered, "the store refused them for good", store.dead_lettered > 0 ? "loud" : "quiet"));
  if (store.skipped > 0) right.push(line("skipped", store.skipped, "the store has no form for them"));
  right.push(line("in memory", store.in_memory, "read, and not in the store yet", "quiet"));
  right.push(line("unread", store.unread, `in the buffer, not read yet; ${exact(store.unread_records)} records`, "quiet", unknown(store)));
  return book(visible(store.store), store.state, left, right, store.difference, store.note);
};

export const showLedger = (ledger: Ledger): Child => [
  h(
    "div",
    { class: "books" },
    ledger.gateway === undefined
      ? null
      : book(
          "gateway",
          ledger.gateway.state,
          [line("received", ledger.gateway.received, "decided on")],
          [line("accepted", ledger.gateway.accepted, "durable in the buffer"), line("rejected", ledger.gateway.rejected, "refused, or not confirmed", ledger.gateway.rejected > 0 ? "loud" : "quiet")],
          ledger.gateway.difference,
          undefined,
        ),
    (ledger.stores ?? []).map(storeBook),
  ),
  ledger.notes.map((note) => h("p", { class: "soft note" }, visible(note))),
];
