/** How the stores are, in as few words as are true. Pure. */

import { visible } from "../format";
import type { Store } from "../shapes";
import type { Tone } from "../widgets";

type State = Pick<Store, "name" | "state">;

export const storeTone = (store: Pick<Store, "state">): Tone => (store.state === "ok" ? "good" : store.state === "starting" ? "none" : "warn");

/** Those in trouble by name, those that begin by number; green is for when all of them write. */
export const storesInWords = (stores: readonly State[]): readonly { readonly tone: Tone; readonly words: string }[] => {
  const counted = (count: number): string => `${count} ${count === 1 ? "store" : "stores"}`;
  if (stores.length > 0 && stores.every((store) => store.state === "ok")) return [{ tone: "good", words: `${counted(stores.length)} writing` }];
  const starting = stores.filter((store) => store.state === "starting").length;
  const troubled = stores.filter((store) => storeTone(store) === "warn");
  return [...troubled.map((store) => ({ tone: "warn" as const, words: `${visible(store.name)} ${store.state}` })), ...(starting === 0 ? [] : [{ tone: "none" as const, words: `${counted(starting)} starting` }])];
};
