/** The console: a frame with the state of the process and of the connection, and one view at a time in it. */

import { fill, h, s, setText } from "./dom";
import { duration, visible } from "./format";
import { help, keys } from "./keys";
import { Live } from "./live";
import { VIEWS, address, parse } from "./router";
import type { View as ViewName } from "./router";
import { choose, chosen, isDark, next, onTheme } from "./theme";
import { api } from "./views/api";
import { explain } from "./views/explain";
import { metrics } from "./views/metrics";
import { overview } from "./views/overview";
import { partitions } from "./views/partitions";
import { rejections } from "./views/rejections";
import type { MakeView, View } from "./views/view";

const MAKE: Readonly<Record<ViewName, MakeView>> = { overview, partitions, metrics, explain, rejections, api };
const NAMES: Readonly<Record<ViewName, string>> = { overview: "Overview", partitions: "Partitions", metrics: "Metrics", explain: "Explain", rejections: "Rejections", api: "API" };

const live = new Live();
const root = document.getElementById("app") as HTMLElement;

const logo = s("svg", { class: "logo", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" }, s("rect", { width: 32, height: 32, rx: 7, class: "logo-back" }), s("path", { d: "M6 9h20M6 16h6m8 0h6M6 23h20M16 9v14", class: "logo-front" }));

const links = new Map(VIEWS.map((name) => [name, h("a", { href: address(name) }, NAMES[name])]));
const connection = h("button", { type: "button", class: "connection", "data-state": "connecting" }, h("span", { class: "mark", "aria-hidden": "true" }), h("span", { class: "connection-text" }, "Connecting"));
const connectionText = connection.lastElementChild as HTMLElement;
const who = h("div", { class: "who" });
const themeButton = h("button", { type: "button", class: "icon-button" });
const helpButton = h("button", { type: "button", class: "icon-button", "aria-label": "Keyboard shortcuts", title: "Keyboard shortcuts (?)" }, "?");
const banner = h("div", { class: "banner", hidden: true });
const announced = h("div", { class: "hidden", role: "status" });
const content = h("main", { id: "content", tabindex: "-1" });

const header = h(
  "header",
  { class: "top" },
  h("div", { class: "brand" }, logo, h("a", { href: address("overview"), class: "brand-name" }, "Sluice"), who),
  h("nav", { "aria-label": "Views" }, [...links.values()]),
  h("div", { class: "top-end" }, connection, themeButton, helpButton),
);
const skip = h("a", { class: "skip", href: "#content" }, "Skip to the content");
skip.addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});
fill(root, skip, header, banner, announced, content);

let view: View | undefined;
let viewName: ViewName | undefined;

const go = (): void => {
  const place = parse(location.hash);
  if (place.view === viewName && view?.go !== undefined) {
    view.go(place);
    return;
  }
  view?.destroy?.();
  const isFirst = viewName === undefined;
  viewName = place.view;
  view = MAKE[place.view](place, live);
  fill(content, view.element);
  for (const [name, link] of links) {
    if (name === place.view) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else link.removeAttribute("aria-current");
  }
  showTitle();
  // A new view is read from its beginning.
  if (!isFirst) {
    window.scrollTo(0, 0);
    content.focus({ preventScroll: true });
  }
};

const showTitle = (): void => {
  const process = live.overview?.process;
  const title = [view?.title, process === undefined ? undefined : `${process.role} ${process.hostname}`, "Sluice"].filter((part) => part !== undefined).join(" · ");
  if (document.title !== title) document.title = title;
};

const STATES: Readonly<Record<string, string>> = { connecting: "Connecting", live: "Live", polling: "Polling", stale: "Old", lost: "No connection", paused: "Paused", absent: "No live numbers" };

let saidState = "";
const showConnection = (): void => {
  connection.dataset["state"] = live.state;
  const isOld = live.state === "stale" || live.state === "lost";
  setText(connectionText, isOld && live.ageMs > 0 ? `${STATES[live.state] ?? ""}, ${duration(Math.round(live.ageMs / 1000)).replace(".0 ", " ")}` : (STATES[live.state] ?? live.state));
  connection.title = live.why === "" ? "How this page gets its numbers; press to try again" : live.why;
  banner.hidden = !isOld && live.state !== "polling";
  document.documentElement.classList.toggle("is-old", isOld);
  if (isOld) {
    const age = live.ageMs > 0 ? `What is shown is ${duration(Math.round(live.ageMs / 1000)).replace(".0 ", " ")} old: ` : "";
    setText(bannerText, `${age}${live.why === "" ? "nothing has come since" : live.why}. It is tried again.`);
  } else if (live.state === "polling") setText(bannerText, `Asked every few seconds${live.why === "" ? "" : `: ${live.why}`}`);
  if (saidState !== live.state) {
    saidState = live.state;
    setText(announced, STATES[live.state] ?? "");
  }
  const process = live.overview?.process;
  if (process !== undefined) {
    setText(whoRole, process.role);
    setText(whoRest, ` ${process.version} · ${visible(process.hostname)} · up ${duration(process.uptime_s)}`);
    who.title = `${process.consoles} ${process.consoles === 1 ? "console" : "consoles"} open`;
    showTitle();
  }
};
const bannerText = h("span");
const again = h("button", { type: "button" }, "Try now");
again.addEventListener("click", () => live.now());
connection.addEventListener("click", () => live.now());
fill(banner, bannerText, again);
const whoRole = h("strong");
const whoRest = h("span", { class: "who-rest" });
fill(who, whoRole, whoRest);

/** Half a disc is the system's choice, a full one dark, an empty one light. */
const THEME_FILL = { auto: "M10 3a7 7 0 0 1 0 14z", dark: "M10 3a7 7 0 0 1 0 14a7 7 0 0 1 0-14z", light: "" } as const;

const showTheme = (): void => {
  const now = chosen();
  fill(themeButton, s("svg", { class: "theme-icon", viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" }, s("circle", { cx: 10, cy: 10, r: 7 }), s("path", { d: THEME_FILL[now] })));
  const words = now === "auto" ? `Theme: as the system, ${isDark() ? "dark" : "light"}` : `Theme: ${now}`;
  themeButton.setAttribute("aria-label", words);
  themeButton.title = `${words} (t)`;
};
const turnTheme = (): void => choose(next());
themeButton.addEventListener("click", turnTheme);
onTheme(showTheme);
showTheme();

const showHelp = help(root);
helpButton.addEventListener("click", showHelp);
keys({
  view: (number) => {
    const name = VIEWS[number];
    if (name !== undefined) location.hash = address(name);
  },
  search: () => view?.search?.(),
  theme: turnTheme,
  help: showHelp,
});

window.addEventListener("hashchange", go);
live.on(showConnection);
showConnection();
go();
live.start();
