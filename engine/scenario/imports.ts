/** `import`: other scenario files lend their `let`s and sequences. Files are read anew at each analysis, and analysed anew when their text has changed. */
import type { FileHost } from '../check.ts';
import { type Context, suggestion } from './context.ts';
import { declare, isDeclaration } from './declarations.ts';
import { isLibraryPath, libraryNames, libraryPath, libraryText, namesLibrary } from './library.ts';
import { MAX_TEXT } from './limits.ts';
import { parse } from './parse.ts';
import type { Problem } from './program.ts';
import type { Home } from './scope.ts';
import { type SyntaxNode, syntaxNode } from './syntax.ts';

/** Files that one document can pull in. */
const MAX_FILES = 256;

interface Loaded {
  path: string;
  text: string;
  file: number;
  home: Home;
  problems: readonly Problem[];
}

/**
 * Index of the document among the program's files: steps of its own sequences stand in the document, but in no scenario, so their places name it as a
 * file. Imported files follow.
 */
export const DOCUMENT = 0;

export class Imports {
  /** In the order in which they are met: file 1, file 2 … */
  readonly files: { path: string; text: string }[] = [];
  /** Everything that was named could be read. */
  complete = true;
  private readonly host: FileHost;
  private readonly loaded = new Map<string, Loaded>();
  /** Files whose imports are being followed, outermost first. */
  private readonly open: string[];

  constructor(host: FileHost, document: string) {
    this.host = host;
    this.open = [document];
  }

  /** What the file named in an `import` lends; undefined after a problem. `from` is the path of the file that imports. */
  follow(from: string, ctx: Context, node: SyntaxNode, relative: string): Home | undefined {
    const path = this.resolve(from, relative);
    const circle = this.open.indexOf(path);
    if (circle >= 0) {
      const names = [...this.open.slice(circle), path].map(baseName).join(' → ');
      return ctx.problem('IMPORT', node, `${baseName(path)} imports itself (${names}).`);
    }
    const known = this.loaded.get(path);
    if (known !== undefined) return this.lend(ctx, node, known);
    if (this.files.length >= MAX_FILES)
      return ctx.problem('IMPORT', node, `More than ${MAX_FILES} files are imported.`);
    if (isLibraryPath(path) && libraryText(path) === undefined) return noLibrary(ctx, node, relative);
    const read = readImport(this.host, path);
    if ('error' in read || read.text.length > MAX_TEXT) this.complete = false;
    if ('error' in read)
      return ctx.problem('FILE', node, `${path} cannot be read: ${read.error}. Paths are relative to this file.`);
    if (read.text.length > MAX_TEXT) return ctx.problem('FILE', node, `${path} is too large to be a scenario.`);
    const file = DOCUMENT + 1 + this.files.length;
    this.files.push({ path, text: read.text });
    this.open.push(path);
    const declarations = declare(
      { path, text: read.text, file },
      declarationNodes(read.text),
      (inner, at, name) => this.follow(path, inner, at, name),
      true,
    );
    this.open.pop();
    const now: Loaded = { path, text: read.text, file, home: declarations.home, problems: declarations.problems };
    this.loaded.set(path, now);
    return this.lend(ctx, node, now);
  }

  /** What a file lent that has been followed before; nothing is reported again. */
  lent(from: string, relative: string): Home | undefined {
    return this.loaded.get(this.resolve(from, relative))?.home;
  }

  private resolve(from: string, name: string): string {
    return namesLibrary(name) ? libraryPath(name) : this.host.resolve(from, name);
  }

  private lend(ctx: Context, node: SyntaxNode, { path, text, problems, home }: Loaded): Home {
    if (problems.length > 0) {
      const [first] = problems;
      const line = text.slice(0, first.span.start).split(/\r\n|\r|\n/).length;
      const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
      ctx.problem(
        'IMPORT',
        node,
        `${baseName(path)} has ${count}${problems.length === 1 ? '' : '; the first'} on line ${line}: ${first.message}`,
        [],
        problems.slice(0, 5).map((p) => ({ message: p.message, span: p.span })),
      );
    }
    return home;
  }
}

/** Text of an imported file: of a library without asking the host. */
export function readImport(host: FileHost, path: string): ReturnType<FileHost['read']> {
  const text = libraryText(path);
  return text === undefined ? host.read(path) : { text };
}

function noLibrary(ctx: Context, node: SyntaxNode, name: string): undefined {
  const { text, fixes } = suggestion(name, libraryNames, 'Libraries');
  const quotedFixes = fixes.map((fix) => ({ ...fix, replacement: JSON.stringify(fix.replacement) }));
  return ctx.problem('IMPORT', node, `There is no library "${name}" in the extension.${text}`, quotedFixes);
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The declarations of a file as nodes; its scenarios are left alone. */
function declarationNodes(text: string): SyntaxNode[] {
  const nodes: SyntaxNode[] = [];
  const cursor = parse(text).tree.cursor();
  if (!cursor.firstChild()) return nodes;
  do {
    if (isDeclaration(cursor.type.id)) nodes.push(syntaxNode(cursor));
  } while (cursor.nextSibling());
  return nodes;
}
