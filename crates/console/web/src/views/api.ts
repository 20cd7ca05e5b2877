/** Where the same is for scripts: the API's description, and what this process answers. */

import { getJson } from "../api";
import { fill, h } from "../dom";
import { visible } from "../format";
import { table } from "../table";
import { panel } from "../widgets";
import type { MakeView } from "./view";

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
}

interface Description {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string; readonly description?: string } | undefined>>>>;
}

const METHODS = ["get", "post", "put", "delete", "patch"];

/** What works everywhere, for where there is no description. */
const KNOWN: readonly Operation[] = [
  { method: "GET", path: "/api/v1/overview", summary: "one snapshot of all that the console shows" },
  { method: "GET", path: "/api/v1/live", summary: "the same each second, as server-sent events" },
  { method: "GET", path: "/api/v1/names", summary: "metric names that this process knows of" },
  { method: "GET", path: "/api/v1/heat", summary: "which metric names and partitions get most" },
  { method: "GET", path: "/api/v1/cardinality", summary: "how many series there are, and who makes most of them" },
  { method: "GET", path: "/api/v1/rejections", summary: "why data is missing: what was refused lately" },
  { method: "POST", path: "/api/v1/explain", summary: "what would become of a body" },
  { method: "GET", path: "/metrics", summary: "what this process counted, for Prometheus" },
  { method: "GET", path: "/readyz", summary: "whether it should get traffic, and why not" },
  { method: "GET", path: "/livez", summary: "whether the process runs" },
];

export const api: MakeView = () => {
  const links = h("div", { class: "api-links" });
  const found = table<Operation>({
    caption: "Operations",
    empty: "None.",
    cells: [
      { title: "Method", show: (row) => h("code", {}, row.method), by: (row) => row.method },
      { title: "Path", className: "nowrap", show: (row) => (row.method === "GET" && !row.path.includes("{") && !row.path.endsWith("/live") ? h("a", { href: row.path.replace(/^\//, ""), target: "_blank", rel: "noopener" }, h("code", {}, visible(row.path))) : h("code", {}, visible(row.path))), by: (row) => row.path },
      { title: "What", className: "wide", show: (row) => visible(row.summary) },
    ],
  });
  found.set(KNOWN);
  const control = new AbortController();
  const link = (href: string, name: string, what: string): HTMLElement => h("a", { class: "card", href }, h("strong", {}, name), h("span", { class: "soft" }, what));
  const always = [link("metrics", "/metrics", "Prometheus text of this process"), link("readyz", "/readyz", "ready or not, with reasons")];
  fill(links, always);
  void getJson<Description>("openapi.json", [], control.signal).then(
    (description) => {
      fill(links, link("docs", "API reference", "every operation with its errors and examples"), link("openapi.json", "openapi.json", "OpenAPI 3.1, for generators and tests"), always);
      const operations = Object.entries(description.paths ?? {}).flatMap(([path, methods]) =>
        METHODS.filter((method) => methods[method] !== undefined).map((method) => ({ method: method.toUpperCase(), path, summary: methods[method]?.summary ?? methods[method]?.description?.split("\n")[0] ?? "" })),
      );
      if (operations.length > 0) found.set(operations);
    },
    () => undefined,
  );
  return {
    title: "API",
    element: h("div", { class: "view view-api" }, h("div", { class: "view-head" }, h("h1", {}, "API"), h("p", { class: "soft" }, "Everything on these pages comes from an address that scripts may ask too.")), links, panel("Operations", {}, found.element)),
    destroy: () => control.abort(),
  };
};
