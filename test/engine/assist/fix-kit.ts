/** What tests of fixes share: a file checked to its end, what was reported in it, and a fix applied. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { plainSnippet } from '../../../engine/assist/completion.ts';
import type { Fix, Reported } from '../../../engine/assist/fix.ts';
import { applyEdits } from '../../../engine/assist/trial.ts';
import type { Checker, FileHost } from '../../../engine/check.ts';
import { createChecker } from '../../../engine/checker.ts';
import type { DocumentView } from '../../../engine/view.ts';

const host: FileHost = {
  resolve: (from, relative) => join(dirname(from), relative),
  read: (path) => {
    try {
      return { text: readFileSync(path, 'utf8') };
    } catch {
      return { error: 'no such file' };
    }
  },
};

export interface Checked {
  text: string;
  view: DocumentView;
  reported: (Reported & { message: string; line: number })[];
}

const checker: Checker = createChecker(host);

export function checked(text: string, path = 'main.snpscenario'): Checked {
  const running = checker.start(path, text);
  while (!running.advance(5_000_000));
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') starts.push(i + 1);
  const reported = running
    .result()
    .diagnostics.filter(({ location }) => location.path === path)
    .map(({ rule, message, data, location: { range } }) => ({
      rule,
      message,
      data,
      line: range.start.line,
      start: starts[range.start.line] + range.start.character,
      end: starts[range.end.line] + range.end.character,
    }));
  return { text, view: checker.view(path, text), reported };
}

export const applied = (text: string, fix: Fix): string =>
  applyEdits(
    text,
    fix.placeholders ? fix.edits.map((edit) => ({ ...edit, text: plainSnippet(edit.text) })) : fix.edits,
  );
