/** What a completion is, and the small makers of its parts. What a client is told of it is the server's affair. */

export type CompletionKind =
  | 'keyword'
  | 'actor'
  | 'guest'
  | 'operation'
  | 'function'
  | 'sequence'
  | 'query'
  | 'field'
  | 'word'
  | 'value'
  | 'variable'
  | 'setting'
  | 'option'
  | 'outcome'
  | 'rule'
  | 'file'
  | 'folder'
  | 'library'
  | 'kernel'
  | 'snippet';

export interface Completion {
  label: string;
  kind: CompletionKind;
  /** One short line beside it. */
  detail?: string;
  /** Behind the label: operands. */
  signature?: string;
  /** Key of what {@link documentation} says about it. */
  doc?: string;
  /** Documentation of something of the user's own, Markdown. */
  text?: string;
  /** What is written, if it is not the label. Without placeholders. */
  insert?: string;
  /** The same with placeholders, in LSP's snippet syntax. */
  snippet?: string;
  /** Lower first; by label within. */
  rank: number;
  /** Accepts it and is typed. */
  commit?: readonly string[];
  /** Something can be completed right behind it. */
  goesOn?: true;
  preselect?: true;
}

/** Takes the placeholders out of a snippet. */
export function plainSnippet(snippet: string): string {
  return snippet
    .replace(/\$\{\d+\|((?:[^,|\\]|\\.)*)(?:,(?:[^|\\]|\\.)*)?\|\}/g, '$1')
    .replace(/\$\{\d+:((?:[^}\\]|\\.)*)\}/g, '$1')
    .replace(/\$\{?\d+\}?/g, '')
    .replace(/\\([\\$}|,])/g, '$1');
}

export const escapeSnippet = (text: string): string => text.replace(/[\\$}]/g, '\\$&');

/** The n-th placeholder with a text in it. */
export const placeholder = (n: number, text: string): string => `\${${n}:${escapeSnippet(text)}}`;

/** The n-th placeholder with a choice. */
export const choice = (n: number, words: readonly string[]): string =>
  words.length === 1
    ? placeholder(n, words[0])
    : `\${${n}|${words.map((w) => w.replace(/[\\,|]/g, '\\$&')).join(',')}|}`;
