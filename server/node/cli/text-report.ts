// `--format text`: for people at a terminal, and for editors that read compilers. A diagnostic is one line that starts with its place,
// the line of source with carets under the range, and a note for each related place. Reads the same without colour.

import type { Diagnostic, Location, Severity } from '../../../engine/base/diagnostic.ts';
import { type CheckedFile, type Report, type Reporter, summarize } from './report.ts';

export interface TextOptions {
  write(text: string): void;
  /** What could not be checked goes here: to stderr. */
  writeError(text: string): void;
  show(path: string): string;
  /** The text of a file that a diagnostic speaks of. */
  textOf(path: string): string | undefined;
  color: boolean;
}

/** Columns of source shown at most; a longer line is cut around the range. */
const width = 120;

const severityColor: Record<Severity, number> = { error: 31, warning: 33, information: 36, hint: 90 };
const statusColor = { passed: 32, failed: 31, error: 31 } as const;

export function textReporter(options: TextOptions): Reporter {
  const { write, writeError, show } = options;
  const style = (code: number, text: string) => (options.color ? `\x1b[${code}m${text}\x1b[0m` : text);
  const bold = (text: string) => style(1, text);
  const excerpts = new Excerpts(options.textOf);

  const place = ({ path, range }: Location) =>
    clean(`${show(path)}:${range.start.line + 1}:${range.start.character + 1}`);

  const excerpt = (location: Location, color: number): string => {
    const lines = excerpts.of(location);
    if (!lines) return '';
    return `${lines.source}\n${lines.gutter}${style(color, lines.carets)}\n`;
  };

  const diagnostic = ({ rule, spec, severity, message, location, related }: Diagnostic): string => {
    const color = severityColor[severity];
    const id = spec && spec !== rule ? `${rule} (${spec})` : rule;
    const [first = '', ...more] = clean(message).split('\n');
    let text = `${bold(place(location))} ${style(color, severity)} ${bold(clean(id))} ${first}\n`;
    for (const line of more) text += `    ${line}\n`;
    text += excerpt(location, color);
    for (const note of related) {
      text += `  ${place(note.location)} ${style(36, 'note')} ${clean(note.message).replaceAll('\n', '\n    ')}\n`;
      text += excerpt(note.location, 36);
    }
    return text;
  };

  return {
    file({ file, result }: CheckedFile) {
      let text = result.diagnostics.map(diagnostic).join('');
      for (const { name, status, steps } of result.scenarios) {
        const count = `${steps} ${steps === 1 ? 'step' : 'steps'}`;
        text += `${style(statusColor[status], status)} ${clean(file.shown)} "${clean(name)}" (${count})\n`;
      }
      if (!result.scenarios.length) text += `no scenarios in ${clean(file.shown)}\n`;
      write(text);
    },
    error({ path, kind, message }) {
      writeError(
        `${bold(clean(path))} ${style(31, kind === 'internal' ? 'internal error' : 'error')} ${clean(message)}\n`,
      );
    },
    end(report: Report) {
      const { passed, failed, errors } = summarize(report);
      const total = passed + failed + errors;
      const files = `${report.files.length} ${report.files.length === 1 ? 'file' : 'files'}`;
      const parts = [`${passed} passed`];
      if (failed) parts.push(`${failed} failed`);
      if (errors) parts.push(`${errors} could not be run`);
      let line = `${total} ${total === 1 ? 'scenario' : 'scenarios'} in ${files}: ${parts.join(', ')}`;
      if (report.errors.length) line += `; not checked: ${report.errors.length}`;
      write(`${style(failed || errors || report.errors.length ? 31 : 32, line)}\n`);
    },
  };
}

/** Control characters must not reach the terminal from a file: they become visible. Newlines and tabs stay. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === '\r' ? '' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

interface Excerpt {
  source: string;
  gutter: string;
  carets: string;
}

class Excerpts {
  readonly #textOf: (path: string) => string | undefined;
  readonly #lines = new Map<string, string[]>();

  constructor(textOf: (path: string) => string | undefined) {
    this.#textOf = textOf;
  }

  of({ path, range }: Location): Excerpt | undefined {
    let lines = this.#lines.get(path);
    if (!lines) {
      lines = (this.#textOf(path) ?? '').split(/\r\n|\n|\r/);
      this.#lines.set(path, lines);
    }
    const line = lines[range.start.line];
    if (line === undefined || line.trim() === '') return undefined;
    const start = Math.min(range.start.character, line.length);
    const end = range.end.line === range.start.line ? Math.min(range.end.character, line.length) : line.length;
    // Cut a long line so that the beginning of the range is in sight.
    const from = line.length > width && start > width / 2 ? start - Math.floor(width / 4) : 0;
    const shown = line.slice(from, from + width);
    const number = String(range.start.line + 1).padStart(6);
    const before = spaces(shown.slice(0, start - from));
    const length = Math.max(1, Math.min(clean(shown.slice(start - from, end - from)).length, width));
    return {
      source: `${number} | ${clean(shown)}`,
      gutter: `${' '.repeat(number.length)} | ${before}`,
      carets: '^'.repeat(length),
    };
  }
}

/** As wide as the text: tabs stay tabs. */
function spaces(text: string): string {
  return clean(text).replace(/[^\t]/g, ' ');
}
