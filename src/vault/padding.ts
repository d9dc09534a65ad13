// Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019): lengths are rounded up so that
// at most O(log log n) bits of a length can be told from outside, for at most 12 % more bytes. Below 512 bytes, where a
// Padmé bucket is only a few bytes wide, everything shares the one bucket of 512, which holds nearly all API keys.

export const SMALLEST_BUCKET_BYTES = 512;

/** The bucket, in bytes, that a plaintext of `length` bytes is padded to. */
export function paddedLength(length: number): number {
  if (length <= SMALLEST_BUCKET_BYTES) return SMALLEST_BUCKET_BYTES;
  const exponent = Math.floor(Math.log2(length));
  const significantBits = Math.floor(Math.log2(exponent)) + 1;
  const bucket = 2 ** (exponent - significantBits);
  return Math.ceil(length / bucket) * bucket;
}
