/**
 * Patches as they travel: a unified diff alone, a mail of `git format-patch`, an mbox of several, or a mailing-list archive's page saved as text. The
 * text around the diff is never looked at; the counts in a hunk's `@@` line say where the hunk ends, so a mail's `-- ` signature is not taken for a
 * removed line.
 *
 * Mail readers, web pages and hands damage patches. What can be understood all the same is understood, and a problem says what was found and where.
 */
import type { Severity } from '../base/diagnostic.ts';
import type { SourceForm, UnitProblem } from './load-unit.ts';
import { lineStarts } from './source.ts';

/** What a line of the patch text is. Numbers, because they fill one typed array per patch. */
export const LineKind = { Outside: 0, Context: 1, Added: 2, Removed: 3, Wrapped: 4 } as const;
export type LineKind = (typeof LineKind)[keyof typeof LineKind];

/** A line of a hunk: its content is `start` .. `end` of the patch text, without the marker and the line end. */
export interface PatchLine {
  kind: LineKind;
  start: number;
  end: number;
}

export interface Hunk {
  /** The `@@` line. */
  start: number;
  end: number;
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  /** What stands after the second `@@`: the line that git thinks begins the function. */
  section: string;
  lines: PatchLine[];
}

export interface PatchedFile {
  /** Path after the patch, without `b/`. */
  path: string;
  /** Range of the file's header line (`+++ …`). */
  start: number;
  end: number;
  /** Which mail of an mbox, from 0. */
  mail: number;
  hunks: Hunk[];
  deleted: boolean;
}

export interface Patch {
  form: SourceForm;
  text: string;
  lineStarts: number[];
  /** Kind of each line of the text. */
  kinds: Uint8Array;
  files: PatchedFile[];
  problems: UnitProblem[];
}

const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)$/;
const MBOX_FROM = /^From (?:[0-9a-f]{7,64}|\S+@\S+|mboxrd@z) .*\d{4}$/;

/** Is the text a diff, or does it hold one? */
export function looksLikePatch(text: string): boolean {
  return /^(?:diff --git |@@ -\d+(?:,\d+)? \+\d+)/m.test(text) || /^--- [^\n]*\n\+\+\+ /m.test(text);
}

/** Read a patch; `file` is its index for problems. Never throws. */
export function parsePatch(text: string, file: number): Patch {
  return new PatchReader(text, file).read();
}

/** Can the C front end use a file of this name? */
export const isCFile = (path: string): boolean => /\.[ch]$/.test(path);

class PatchReader {
  private readonly text: string;
  private readonly file: number;
  private readonly starts: number[];
  private readonly kinds: Uint8Array;
  private readonly count: number;
  private readonly files: PatchedFile[] = [];
  private readonly problems: UnitProblem[] = [];
  private at = 0;
  private mail = 0;
  private current: PatchedFile | undefined;
  private lostBlanks = 0;

  constructor(text: string, file: number) {
    this.text = text;
    this.file = file;
    this.starts = lineStarts(text);
    // A text that ends with a newline has no line after it.
    this.count = text.endsWith('\n') || text === '' ? this.starts.length - 1 : this.starts.length;
    this.kinds = new Uint8Array(this.starts.length);
  }

  read(): Patch {
    let mails = 0;
    let quoted = -1;
    let page = false;
    let headers = false;
    while (this.at < this.count) {
      const line = this.line(this.at);
      switch (line.charCodeAt(0)) {
        case 64 /* @ */:
          if (line.startsWith('@@')) {
            this.hunk(line);
            continue;
          }
          break;
        case 100 /* d */:
          if (line.startsWith('diff --git ')) this.begin(gitPath(line), false);
          else if (line.startsWith('deleted file mode') && this.current !== undefined) this.current.deleted = true;
          break;
        case 45 /* - */:
          if (line.startsWith('--- ') && this.at + 1 < this.count && this.line(this.at + 1).startsWith('+++ ')) {
            const before = headerPath(line, 'a/');
            this.at++;
            const after = headerPath(this.line(this.at), 'b/');
            this.begin(after === '/dev/null' ? before : after, after === '/dev/null');
          }
          break;
        case 70 /* F */:
          if (MBOX_FROM.test(line)) {
            if (mails++ > 0) this.mail++;
            this.current = undefined;
          } else if (line.startsWith('From: ')) headers = true;
          break;
        case 62 /* > */:
          if (quoted < 0 && /^(?:> ?)+@@ -\d/.test(line)) quoted = this.at;
          break;
        case 67 /* C */:
        case 99 /* c */:
          if (/^content-transfer-encoding: *(?:quoted-printable|base64)/i.test(line)) {
            this.complain(
              this.at,
              this.at,
              'This mail is stored in an encoded form (quoted-printable or base64). Save it decoded: as text from the mail reader, with `b4 am`, or as the archive shows it.',
              'warning',
            );
          }
          break;
        case 32:
        case 84:
          page ||= line.startsWith('Thread overview:') || line.startsWith(' help / color / mirror');
          break;
      }
      this.at++;
    }
    this.lineEnds();
    const hunks = this.files.some((f) => f.hunks.length > 0);
    if (!hunks && this.problems.every((p) => p.severity !== undefined)) {
      if (quoted >= 0)
        this.complain(
          quoted,
          quoted,
          'The diff in this text is quoted (`> `): it is a reply, with the patch in pieces. Save the patch mail itself.',
        );
      else this.complain(0, 0, 'No diff is found in this text: there is no line `@@ -… +… @@` of a hunk.');
    }
    const form: SourceForm = mails > 1 ? 'mbox' : page ? 'page' : mails === 1 || headers ? 'mail' : 'diff';
    return {
      form,
      text: this.text,
      lineStarts: this.starts,
      kinds: this.kinds,
      files: this.files,
      problems: this.problems,
    };
  }

  /** Text of a line without its end. */
  private line(index: number): string {
    return this.text.slice(this.starts[index], this.lineEnd(index));
  }

  /** Offset after the last character of a line's content: before `\n` or `\r\n`. */
  private lineEnd(index: number): number {
    let end = index + 1 < this.starts.length ? this.starts[index + 1] - 1 : this.text.length;
    if (end > this.starts[index] && this.text.charCodeAt(end - 1) === 13) end--;
    return end;
  }

  /** A new file of the diff. The `+++` line after a `diff --git` line speaks of the same one. */
  private begin(path: string, deleted: boolean): void {
    const { current } = this;
    if (current !== undefined && current.hunks.length === 0 && current.path === path) {
      current.deleted ||= deleted;
      current.start = this.starts[this.at];
      current.end = this.lineEnd(this.at);
      return;
    }
    if (current !== undefined && current.hunks.length === 0) this.files.pop();
    this.current = {
      path,
      start: this.starts[this.at],
      end: this.lineEnd(this.at),
      mail: this.mail,
      hunks: [],
      deleted,
    };
    this.files.push(this.current);
  }

  /** One hunk from its `@@` line on. */
  private hunk(line: string): void {
    const headerAt = this.at++;
    const match = HUNK.exec(line);
    if (match === null) {
      if (line.startsWith('@@@'))
        this.complain(
          headerAt,
          headerAt,
          'This is a combined diff of a merge (`@@@`): it cannot be used. Make a diff against one parent.',
        );
      else if (this.current !== undefined)
        this.complain(
          headerAt,
          headerAt,
          'This hunk header cannot be read: `@@ -start,count +start,count @@` is expected. The hunk is left out.',
        );
      return;
    }
    if (this.current === undefined) {
      this.complain(
        headerAt,
        headerAt,
        'No file name stands before this hunk (`--- a/…` and `+++ b/…` lines): it is taken as C.',
        'warning',
      );
      this.begin('unknown.c', false);
    }
    const hunk: Hunk = {
      start: this.starts[headerAt],
      end: this.lineEnd(headerAt),
      oldStart: Number(match[1]),
      oldLines: match[2] === undefined ? 1 : Number(match[2]),
      newStart: Number(match[3]),
      newLines: match[4] === undefined ? 1 : Number(match[4]),
      section: match[5],
      lines: [],
    };
    this.current?.hunks.push(hunk);
    let old = hunk.oldLines;
    let fresh = hunk.newLines;
    while (old > 0 || fresh > 0) {
      const kind = this.at < this.count ? this.hunkLine() : undefined;
      if (kind === undefined) break;
      this.take(hunk, kind);
      if (kind === LineKind.Context || kind === LineKind.Removed) old--;
      if (kind === LineKind.Context || kind === LineKind.Added) fresh--;
    }
    if (old > 0 || fresh > 0) {
      this.complain(
        headerAt,
        headerAt,
        `This hunk is cut short: \`${line.slice(0, line.indexOf('@@', 2) + 2)}\` promises ${hunk.oldLines} lines before and ${hunk.newLines} after the change, but only ${hunk.oldLines - old} and ${hunk.newLines - fresh} are here.`,
        'warning',
      );
      return;
    }
    // A hunk that was edited by hand goes on beyond its counts.
    const extra = this.at;
    while (this.at < this.count && this.goesOn())
      this.take(hunk, this.text[this.starts[this.at]] === '+' ? LineKind.Added : LineKind.Removed);
    if (this.at > extra) {
      this.complain(
        headerAt,
        headerAt,
        `This hunk is longer than its header says (${hunk.newLines} lines after the change): the ${this.at - extra === 1 ? 'line that follows belongs' : `${this.at - extra} lines that follow belong`} to it as well. Correct the counts.`,
        'warning',
      );
    } else if (old < 0 || fresh < 0) {
      this.complain(
        headerAt,
        headerAt,
        `The counts of this hunk are wrong: it has ${hunk.oldLines - old} lines before and ${hunk.newLines - fresh} after the change.`,
        'warning',
      );
    }
  }

  /** Kind of the present line within a hunk that is not complete; undefined if the hunk ends here all the same. */
  private hunkLine(): LineKind | undefined {
    const start = this.starts[this.at];
    const end = this.lineEnd(this.at);
    // An empty context line whose one blank was trimmed.
    if (start === end) return LineKind.Context;
    const next = this.at + 1 < this.count ? this.line(this.at + 1) : '';
    switch (this.text[start]) {
      case ' ':
        return LineKind.Context;
      case '+':
        return LineKind.Added;
      case '-':
        if (this.text.startsWith('--- ', start) && next.startsWith('+++ ')) return undefined;
        if (/^-- ?$/.test(this.text.slice(start, end)) && /^\d+\.\d+/.test(next)) return undefined;
        return LineKind.Removed;
      case '\\':
        return LineKind.Outside;
      case '\t':
        if (this.lostBlanks++ === 0)
          this.complain(
            this.at,
            this.at,
            'The blank that marks a context line is missing here: white space of this patch was changed on its way.',
            'warning',
          );
        return LineKind.Context;
    }
    const line = this.text.slice(start, end);
    if (line.startsWith('diff --git ') || line.startsWith('@@ ') || MBOX_FROM.test(line)) return undefined;
    if (!/^[ +\t-]/.test(next)) return undefined;
    this.complain(
      this.at,
      this.at,
      'This line has no marker (` `, `+` or `-`): a long line before it was wrapped. It is read as that line’s rest.',
      'warning',
    );
    return LineKind.Wrapped;
  }

  /** After a hunk that is complete by its counts: an added or removed line that stands where the hunk would go on? */
  private goesOn(): boolean {
    const line = this.line(this.at);
    if (line.startsWith('+')) return !line.startsWith('+++ ');
    return line.startsWith('-') && !line.startsWith('--');
  }

  private take(hunk: Hunk, kind: LineKind): void {
    const start = this.starts[this.at];
    const end = this.lineEnd(this.at);
    this.kinds[this.at] = kind;
    this.at++;
    // `\ No newline at end of file`
    if (kind === LineKind.Outside) return;
    const marked = kind !== LineKind.Wrapped && start < end && this.text[start] !== '\t';
    hunk.lines.push({ kind, start: marked ? start + 1 : start, end });
  }

  /** One word on Windows line ends, where the first one stands in a hunk. */
  private lineEnds(): void {
    for (let i = 0; i < this.count; i++) {
      if (this.kinds[i] === LineKind.Outside) continue;
      const end = this.lineEnd(i);
      if (this.text.charCodeAt(end) === 13) {
        this.complain(
          i,
          i,
          'The lines of this patch end with CR LF; they are read as if they ended with LF.',
          'information',
        );
        return;
      }
    }
  }

  private complain(fromLine: number, toLine: number, message: string, severity?: Severity): void {
    const problem: UnitProblem = {
      origin: { file: this.file, start: this.starts[fromLine], end: this.lineEnd(toLine) },
      rule: 'PATCH',
      message,
    };
    this.problems.push(severity === undefined ? problem : { ...problem, severity });
  }
}

/** The path in `+++ b/path<TAB>date`. */
function headerPath(line: string, prefix: string): string {
  let path = line.slice(4);
  const tab = path.indexOf('\t');
  if (tab >= 0) path = path.slice(0, tab);
  path = path.trim().replace(/^"(.*)"$/, '$1');
  return path.startsWith(prefix) ? path.slice(2) : path;
}

/** The path in `diff --git a/path b/path`. */
function gitPath(line: string): string {
  const at = line.lastIndexOf(' b/');
  return at >= 0 ? line.slice(at + 3) : (line.split(' ')[3] ?? '');
}
