export const LF = 0x0a;
export const CR = 0x0d;
export const ESC = 0x1b;
export const EMPTY = new Uint8Array(0);
