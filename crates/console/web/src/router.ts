/** The address of a view: `#/metrics?name=cpu`. Pure, so that a link says what a colleague sees. */

export const VIEWS = ["overview", "partitions", "metrics", "explain", "rejections", "api"] as const;
export type View = (typeof VIEWS)[number];

export interface Place {
  readonly view: View;
  readonly parameters: ReadonlyMap<string, string>;
}

const isView = (text: string): text is View => (VIEWS as readonly string[]).includes(text);

/** What an address says; an unknown one is the overview. */
export const parse = (hash: string): Place => {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const parameters = new Map(new URLSearchParams(query));
  return { view: isView(path) ? path : "overview", parameters };
};

/** The address with other parameters, or nothing where the view is another one by now. */
export const changed = (hash: string, view: View, changes: Readonly<Record<string, string | undefined>>): string | undefined => {
  const place = parse(hash);
  return place.view === view ? address(view, { ...Object.fromEntries(place.parameters), ...changes }) : undefined;
};

/** The address of a place. Parameters without a value are left out. */
export const address = (view: View, parameters: Readonly<Record<string, string | undefined>> = {}): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined && value !== "") query.append(name, value);
  const text = query.toString();
  return `#/${view}${text === "" ? "" : `?${text}`}`;
};
