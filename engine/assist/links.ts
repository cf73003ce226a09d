/** What a scenario file points to: files in `import` and `use`; in comments, web addresses and mails of the kernel’s lists by message-id. */
import type { FileHost } from '../check.ts';
import * as t from '../generated/scenario-parser-terms.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { namedFiles } from './referent.ts';

export interface Link {
  start: number;
  end: number;
  /** A path as files are known by, or an address of the web. */
  target: { path: string } | { url: string };
}

/** The archive of the kernel's lists finds a mail by its id. */
const ARCHIVE = 'https://lore.kernel.org/r/';
/** Ids begin with the time of sending; addresses of people do not. */
const POINTER = /https?:\/\/[^\s<>"'`]+|\b\d{8,}[\w.+-]*@[\w-]+(?:\.[\w-]+)+/g;

/** In the order of the text. */
export function links(analysis: Analysis, host: Pick<FileHost, 'resolve'>): Link[] {
  const { text, tree } = analysis;
  const found: Link[] = namedFiles(analysis, host).map(({ at, path }) => ({
    start: at.start + 1,
    end: at.end - 1,
    target: { path },
  }));
  tree.iterate({
    enter({ type, from, to }) {
      if (type.id !== t.LineComment && type.id !== t.DocComment) return;
      for (const match of text.slice(from, to).matchAll(POINTER)) {
        const written = match[0].startsWith('http') ? trimmed(match[0]) : match[0];
        const start = from + match.index;
        const url = written.startsWith('http') ? written : ARCHIVE + written;
        found.push({ start, end: start + written.length, target: { url } });
      }
    },
  });
  return found.sort((a, b) => a.start - b.start);
}

/** Without the punctuation of the sentence around it. */
function trimmed(url: string): string {
  let end = url.length;
  for (; end > 0; end--) {
    const c = url[end - 1];
    if (c === ')' && url.slice(0, end).split('(').length > url.slice(0, end).split(')').length - 1) break;
    if (!/[.,;:!?)\]}]/.test(c)) break;
  }
  return url.slice(0, end);
}
