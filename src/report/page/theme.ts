import { el } from "./element.ts";

/** Light, dark, or as the system has it, which is what the page begins with. */
export function themeChoice(): HTMLElement {
  const select = el(
    "select",
    { id: "theme", autocomplete: "off" },
    el("option", { value: "" }, "as the system"),
    el("option", { value: "light" }, "light"),
    el("option", { value: "dark" }, "dark"),
  );
  select.addEventListener("change", () => {
    document.documentElement.dataset.theme = select.value;
  });
  return el("p", { class: "theme" }, el("label", { for: "theme" }, "Colours"), select);
}
