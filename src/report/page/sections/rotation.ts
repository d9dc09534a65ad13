import { minuteOf } from "../element.ts";
import type { Figures, Rekey, Rotation } from "../figures.ts";
import { type Section, sectionElement } from "../section.ts";
import { Table } from "../table.ts";

const ID = "rotation";
const TITLE = "To rotate";
const KEY_SHOWN = 16;

export function rotationSection(): Section {
  const rekey = new Table<Rekey>(
    {
      caption: "Agents to rekey first: a former owner could have opened their keys",
      empty: "No agent to rekey.",
    },
    [
      { head: "Agent", text: ({ agent }) => agent },
      { head: "Agent's key", text: ({ key }) => key.slice(0, KEY_SHOWN) },
      { head: "Key open to", text: ({ owner }) => owner },
      { head: "Since (UTC)", text: ({ since }) => minuteOf(since) },
    ],
  );
  const rotate = new Table<Rotation>(
    {
      caption: "Current values that someone no longer authorised could have read",
      empty: "Nothing to rotate: no current value was readable by anyone no longer authorised.",
    },
    [
      { head: "Secret", text: ({ secret }) => secret },
      { head: "Value set (UTC)", text: ({ setAt }) => minuteOf(setAt) },
      { head: "Readable by", text: ({ who }) => who },
      { head: "With key", text: ({ reader }) => reader.key.slice(0, KEY_SHOWN) },
      { head: "Since (UTC)", text: ({ reader }) => minuteOf(reader.since) },
      { head: "Why", text: reasonOf },
      { head: "Read", text: readOf },
    ],
  );
  const about =
    "Only a new value at its source takes a secret off this list. Where no read is recorded, that is no proof that there was none.";
  return {
    id: ID,
    title: TITLE,
    element: sectionElement(ID, TITLE, about, rekey.element, rotate.element),
    update: (figures: Figures) => {
      rekey.element.hidden = figures.rekey.length === 0;
      rekey.update(figures.rekey);
      rotate.update(figures.rotation);
    },
  };
}

function reasonOf({ reader }: Rotation): string {
  return reader.grantExpired === null
    ? "access ended"
    : `grant expired on ${reader.grantExpired.slice(0, 10)} and was not revoked`;
}

function readOf({ reader: { read } }: Rotation): string {
  return read === null ? "not recorded" : `${minuteOf(read.at)} on ${read.host} (${read.action})`;
}
