// `snp-scenario check`: runs every scenario of the files named, reports, and says by its exit code what came of it.

import { dirname, isAbsolute, relative, resolve } from 'node:path';
import type { CheckerOptions, CheckResult, FileHost } from '../../../engine/check.ts';
import type { Engine } from '../../common/platform.ts';
import { describe } from '../../common/server.ts';
import { type ReadResult, readText } from '../disk.ts';
import { type FoundFile, findFiles, slashed } from './find-files.ts';
import { jsonReporter } from './json-report.ts';
import { exitCode, type Report, type ReportedError, type Reporter } from './report.ts';
import { textReporter } from './text-report.ts';

export interface CheckOptions {
  format: 'text' | 'json';
  color: boolean;
  kernel?: string;
  /** In the order of the command line; paths as given. */
  overrides: { kind: 'source' | 'patch'; path: string }[];
  write(text: string): void;
  writeError(text: string): void;
}

/** Resolves to the exit code. Does not reject: a bug of ours is reported as one. */
export async function check(paths: readonly string[], options: CheckOptions, engine: Engine): Promise<0 | 1 | 2 | 3> {
  const { files, errors } = await findFiles(paths);
  const host = new DiskHost();
  const show = shownPaths(files);
  const textOf = (path: string) => {
    if (path.startsWith('model:')) return engine.modelText(path.slice('model:'.length));
    const read = host.read(path);
    return 'text' in read ? read.text : undefined;
  };
  const reporter: Reporter =
    options.format === 'json' ? jsonReporter(options.write, show) : textReporter({ ...options, show, textOf });
  const report: Report = { files: [], errors: [] };
  const fail = (error: ReportedError) => {
    report.errors.push(error);
    reporter.error(error);
  };

  for (const error of errors) fail({ ...error, kind: 'input' });
  const overrides = options.overrides.map(({ kind, path }) => ({ kind, path: resolve(path), shown: slashed(path) }));
  const unreadable = overrides.flatMap(({ path, shown }) => {
    const read = host.read(path);
    return 'error' in read ? [{ path: shown, message: `cannot be read: ${read.error}` }] : [];
  });
  for (const error of unreadable) fail({ ...error, kind: 'input' });
  const hasKernel = options.kernel === undefined || engine.kernels.includes(options.kernel);
  if (!hasKernel) {
    const message = `is no bundled kernel model; there are: ${engine.kernels.join(', ')}`;
    fail({ path: options.kernel!, kind: 'input', message });
  }
  const checkerOptions: CheckerOptions = { overrides: overrides.map(({ kind, path }) => ({ kind, path })) };
  if (options.kernel !== undefined) checkerOptions.kernel = options.kernel;

  let checker = engine.createChecker(host);
  // Verdicts without the kernel or patch that was asked for would be verdicts on something else.
  for (const file of unreadable.length || !hasKernel ? [] : files) {
    const read = readText(file.path, 'strict');
    if ('error' in read) {
      fail({ path: file.shown, kind: 'input', message: `cannot be read: ${read.error}` });
      continue;
    }
    try {
      const running = checker.start(file.path, read.text, checkerOptions);
      while (!running.advance(10_000_000));
      const checked = { file, result: sorted(running.result(), file.path) };
      report.files.push(checked);
      reporter.file(checked);
      checker.forget(file.path);
      await turn();
    } catch (error) {
      fail({ path: file.shown, kind: 'internal', message: describe(error) });
      checker = engine.createChecker(host);
    }
  }
  reporter.end(report);
  return exitCode(report);
}

/** Lets the process notice what happened outside, such as that nobody reads our output any more. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Diagnostics in reading order: the file's own first, then by path. The order of equal places is the engine's. */
function sorted(result: CheckResult, path: string): CheckResult {
  const rank = (other: string) => (other === path ? '' : other);
  const diagnostics = [...result.diagnostics].sort(
    ({ location: a }, { location: b }) =>
      compare(rank(a.path), rank(b.path)) ||
      a.range.start.line - b.range.start.line ||
      a.range.start.character - b.range.start.character,
  );
  return { ...result, diagnostics };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Paths as reports show them: as the user gave them, or relative to the working folder if below it, else absolute. */
function shownPaths(files: readonly FoundFile[]): (path: string) => string {
  const given = new Map(files.map(({ path, shown }) => [path, shown]));
  return (path) => {
    if (path.startsWith('model:')) return path;
    const below = relative(process.cwd(), path);
    const isBelow = below !== '' && !below.startsWith('..') && !isAbsolute(below);
    return given.get(path) ?? slashed(isBelow ? below : path);
  };
}

/** Files by absolute path, read once. */
class DiskHost implements FileHost {
  readonly #cache = new Map<string, ReadResult>();

  resolve(from: string, name: string): string {
    return resolve(dirname(from), name);
  }

  read(path: string): ReadResult {
    let result = this.#cache.get(path);
    if (!result) {
      result = readText(path, path.endsWith('.snpscenario') ? 'strict' : 'lenient');
      this.#cache.set(path, result);
    }
    return result;
  }
}
