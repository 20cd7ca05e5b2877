/** Elements from plain values. Text only ever becomes a text node, so nothing that a sender chose is markup. */

export type Child = Node | string | number | null | undefined | false | readonly Child[];

type Attributes = Record<string, string | number | boolean | null | undefined | ((event: never) => void)>;

const append = (parent: Node, child: Child): void => {
  if (child === null || child === undefined || child === false) return;
  if (typeof child === "string" || typeof child === "number") parent.appendChild(document.createTextNode(String(child)));
  else if (child instanceof Node) parent.appendChild(child);
  else for (const one of child) append(parent, one);
};

const apply = (element: Element, attributes: Attributes): void => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
};

/** `h("a", { class: "x", href: "#/", onclick: f }, "text", [more])`. */
export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag);
  apply(element, attributes);
  append(element, children);
  return element;
};

/** The same for SVG. */
export const s = (tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  apply(element, attributes);
  append(element, children);
  return element;
};

/** Puts these in place of what is there. */
export const fill = (parent: Element, ...children: Child[]): void => {
  parent.replaceChildren();
  append(parent, children);
};

/** What an element that is made anew is known by. */
const markOf = (element: Element): string | null => element.getAttribute("href") ?? element.getAttribute("aria-label");

/** As `fill`; what had the focus in it has it in what comes in its place. */
export const refill = (parent: Element, ...children: Child[]): void => {
  const focused = document.activeElement;
  const mark = focused !== null && parent.contains(focused) ? markOf(focused) : null;
  fill(parent, ...children);
  if (mark === null) return;
  for (const one of parent.querySelectorAll<HTMLElement>("a, button, input")) if (markOf(one) === mark) return one.focus({ preventScroll: true });
};

/** Sets a text only when it is another one, so that a second without news costs no layout. */
export const setText = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text;
};

/** Sets a class as asked. */
export const setClass = (element: Element, name: string, on: boolean): void => {
  element.classList.toggle(name, on);
};

/** Calls `f` once `wait` ms have passed without another call. */
export const debounced = (wait: number, f: () => void): (() => void) => {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(f, wait);
  };
};
