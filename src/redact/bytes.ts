export const LF = 0x0a;
export const CR = 0x0d;
/** Shift Out and Shift In: to another character set, and back. */
export const SO = 0x0e;
export const SI = 0x0f;
export const ESC = 0x1b;
export const EMPTY = new Uint8Array(0);
