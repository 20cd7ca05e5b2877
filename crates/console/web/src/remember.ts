/** What a view shows, written into its address without a step in the browser's history. */

import { changed } from "./router";
import type { View } from "./router";

export const remember = (view: View, changes: Readonly<Record<string, string | undefined>>): void => {
  const to = changed(location.hash, view, changes);
  if (to !== undefined && to !== location.hash) history.replaceState(null, "", to);
};
