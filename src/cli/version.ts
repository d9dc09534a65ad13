declare const __VERSION__: string;

/** This package's version, written in by the build. */
export const VERSION: string = __VERSION__;
