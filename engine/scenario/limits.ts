/** Longest text that is analysed, in UTF-16 code units: some hundred thousand lines. Beyond it there is one problem that says so. */
export const MAX_TEXT = 4_000_000;
