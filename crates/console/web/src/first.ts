/** Before the first paint: the theme that was chosen here last. */
try {
  const chosen = localStorage.getItem("sluice.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset["theme"] = chosen;
} catch {
  // Storage is switched off: the system's choice stays.
}
