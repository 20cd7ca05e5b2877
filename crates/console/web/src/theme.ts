/** Dark or light: the system's choice, or the one made here. */

export type Theme = "auto" | "light" | "dark";

const KEY = "sluice.theme";
const listeners = new Set<() => void>();
const system = window.matchMedia("(prefers-color-scheme: dark)");

export const chosen = (): Theme => {
  const value = document.documentElement.dataset["theme"];
  return value === "dark" || value === "light" ? value : "auto";
};

export const isDark = (): boolean => {
  const theme = chosen();
  return theme === "auto" ? system.matches : theme === "dark";
};

/** From automatic to the other of what is shown, to the last one, and back. */
export const next = (): Theme => {
  const theme = chosen();
  if (theme === "auto") return system.matches ? "light" : "dark";
  const other = system.matches ? "light" : "dark";
  return theme === other ? (other === "light" ? "dark" : "light") : "auto";
};

export const choose = (theme: Theme): void => {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  try {
    if (theme === "auto") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is switched off: it holds for this page alone.
  }
  for (const tell of listeners) tell();
};

/** Calls `f` when what is shown changes; the answer ends that. */
export const onTheme = (f: () => void): (() => void) => {
  listeners.add(f);
  return () => listeners.delete(f);
};

system.addEventListener("change", () => {
  for (const tell of listeners) tell();
});

/** A colour of the style sheet. */
export const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** How many colours tell series apart; more are not told apart by colour. */
export const SERIES_COLOURS = 8;
