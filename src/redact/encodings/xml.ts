// Writers agree on & and <; on >, on quotes and on how a quote is written they do not.
const QUOTES: readonly (readonly [double: string, single: string])[] = [
  ['"', "'"],
  ["&quot;", "'"],
  ["&quot;", "&apos;"],
  ["&quot;", "&#39;"],
  ["&quot;", "&#039;"],
  ["&quot;", "&#x27;"],
  ["&#34;", "&#39;"],
];

export function xmlForms(bytes: string): string[] {
  const text = bytes.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const content = text.replaceAll(">", "&gt;");
  const forms = QUOTES.map(([double, single]) => content.replaceAll('"', double).replaceAll("'", single));
  return [...forms, text, text.replaceAll('"', "&quot;")];
}
