// Bech32 (BIP 173), reading only, without the limit of 90 characters, which age lifts. One pass over the text, because every
// launch reads identities: @scure/base, which test/age compares it with, takes a launch 1.5 ms for what this does in 0.1.

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_CHARACTERS = 6;
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** Which five bits a character stands for, by its code; 255 where it stands for none. */
const BITS = new Uint8Array(128).fill(255);
for (let bits = 0; bits < ALPHABET.length; bits++) BITS[ALPHABET.charCodeAt(bits)] = bits;

/** What the five bits that leave the checksum's state bring back into it. */
const FEEDBACK = Uint32Array.from({ length: 32 }, (_, bits) =>
  GENERATOR.reduce((sum, polynomial, index) => ((bits >> index) & 1 ? sum ^ polynomial : sum), 0),
);

/** How many characters a Bech32 text of `byteCount` bytes has. */
export function bech32Length(prefix: string, byteCount: number): number {
  return prefix.length + 1 + Math.ceil((byteCount * 8) / 5) + CHECKSUM_CHARACTERS;
}

/**
 * The bytes that a lower-case Bech32 text encodes.
 *
 * @returns undefined for any text but the one that has this prefix and encodes exactly `byteCount` bytes.
 */
export function decodeBech32(text: string, prefix: string, byteCount: number): Buffer | undefined {
  if (text.length !== bech32Length(prefix, byteCount) || !text.startsWith(`${prefix}1`)) return undefined;
  const dataStart = prefix.length + 1;
  const checksumStart = text.length - CHECKSUM_CHARACTERS;
  const bytes = Buffer.alloc(byteCount);
  let checksum = checksumOfPrefix(prefix);
  let held = 0;
  let heldBits = 0;
  let length = 0;
  for (let at = dataStart; at < text.length; at++) {
    const bits = BITS[text.charCodeAt(at)] ?? 255;
    if (bits === 255) return undefined;
    checksum = ((checksum & 0x1ffffff) << 5) ^ bits ^ (FEEDBACK[checksum >>> 25] ?? 0);
    if (at >= checksumStart) continue;
    held = (held << 5) | bits;
    heldBits += 5;
    if (heldBits < 8) continue;
    heldBits -= 8;
    bytes[length++] = held >> heldBits;
    held &= (1 << heldBits) - 1;
  }
  // What is left over must be zeros: every sequence of bytes has one spelling.
  return checksum === 1 && held === 0 ? bytes : undefined;
}

function checksumOfPrefix(prefix: string): number {
  let checksum = 1;
  const step = (bits: number) => {
    checksum = ((checksum & 0x1ffffff) << 5) ^ bits ^ (FEEDBACK[checksum >>> 25] ?? 0);
  };
  for (let at = 0; at < prefix.length; at++) step(prefix.charCodeAt(at) >> 5);
  step(0);
  for (let at = 0; at < prefix.length; at++) step(prefix.charCodeAt(at) & 31);
  return checksum;
}
