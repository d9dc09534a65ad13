// Everything on the page is made here. Text goes in as text alone: nothing of a vault, a log or a machine can become markup.

export type Child = Node | string | undefined;

/** What may be set on an element. No `style` and no handlers: the page's policy forbids both. */
export interface Attributes {
  readonly id?: string;
  readonly class?: string | undefined;
  readonly type?: string;
  readonly role?: string;
  readonly href?: string;
  readonly scope?: string;
  readonly for?: string;
  readonly value?: string;
  readonly tabindex?: string;
  readonly autocomplete?: string;
  readonly placeholder?: string;
  readonly [aria: `aria-${string}`]: string | undefined;
  readonly [data: `data-${string}`]: string | undefined;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** `1 pull`, `1,200 pulls`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The same where seconds tell two apart. */
export function secondOf(time: string): string {
  return time.slice(0, 19).replace("T", " ");
}

/** A time as tables show it, in UTC. */
export function minuteOf(time: string): string {
  return time.slice(0, 16).replace("T", " ");
}
