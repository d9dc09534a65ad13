import type { BuiltPage } from "./html.ts";

declare const __REPORT_PAGE__: BuiltPage;

/** The page's script and style, written in by the build. */
export const BUILT_PAGE: BuiltPage = __REPORT_PAGE__;
