// The value may stand anywhere in what was encoded, so there are three alignments to groups of three bytes. Of each
// only those characters are looked for that the value alone determines, not those it shares with its neighbours.
export function base64Forms(value: Uint8Array): string[] {
  const padded = Buffer.alloc(2 + value.length);
  padded.set(value, 2);
  return [0, 1, 2].map((before) => {
    const encoded = padded.toString("base64", 2 - before);
    const bits = (before + value.length) * 8;
    return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6));
  });
}

/** The same in the alphabet of base64url, as far as it makes a difference. */
export function base64urlForms(base64: readonly string[]): string[] {
  return base64
    .filter((form) => /[+/]/.test(form))
    .map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
}
