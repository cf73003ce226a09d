// `snp-scenario format`: formats scenario files in place, or says which are not formatted.

import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { applyChanges, format } from '../../../engine/assist/format.ts';
import { parse } from '../../../engine/scenario/parse.ts';
import { readText, reason } from '../disk.ts';
import { type FoundFile, findFiles } from './find-files.ts';

export interface FormatCommandOptions {
  /** Write nothing; whether everything is formatted is the exit code. */
  check: boolean;
  write(text: string): void;
  writeError(text: string): void;
}

const mark = '\ufeff';

/** Resolves to the exit code: 0, 1 if `check` found a file that is not formatted, 2 if something cannot be read or written. */
export async function formatFiles(paths: readonly string[], options: FormatCommandOptions): Promise<0 | 1 | 2> {
  if (paths.includes('-')) return formatInput(paths, options);
  const { files, errors } = await findFiles(paths);
  let failed = errors.length > 0;
  let changed = 0;
  const fail = (path: string, message: string) => {
    failed = true;
    options.writeError(`snp-scenario: ${path}: ${message}\n`);
  };
  for (const { path, message } of errors) fail(path, message);
  for (const file of files) {
    const read = readText(file.path, 'strict');
    if ('error' in read) {
      fail(file.shown, `cannot be read: ${read.error}`);
      continue;
    }
    const now = formatted(read.text);
    if (now === read.text) continue;
    const problem = options.check ? undefined : write(file, now);
    if (problem !== undefined) {
      fail(file.shown, `cannot be written: ${problem}`);
      continue;
    }
    changed++;
    options.write(`${options.check ? 'not formatted' : 'formatted'} ${file.shown}\n`);
  }
  if (failed) return 2;
  return options.check && changed > 0 ? 1 : 0;
}

/** `-`: from stdin to stdout, for editors. */
function formatInput(paths: readonly string[], options: FormatCommandOptions): 0 | 1 | 2 {
  if (paths.length > 1) {
    options.writeError('snp-scenario: `-` stands for stdin and cannot be mixed with files\n');
    return 2;
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(0));
  } catch (error) {
    options.writeError(`snp-scenario: stdin cannot be read: ${reason(error)}\n`);
    return 2;
  }
  const now = formatted(text);
  if (!options.check) options.write(now);
  return options.check && now !== text ? 1 : 0;
}

function formatted(text: string): string {
  return applyChanges(text, format(text, parse(text).tree));
}

/** Why not, if it cannot be done. */
function write({ path }: FoundFile, text: string): string | undefined {
  try {
    writeFileSync(path, hasMark(path) ? mark + text : text);
    return undefined;
  } catch (error) {
    return reason(error);
  }
}

/** Whether the file begins with a byte order mark, which reading it has taken away. */
function hasMark(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(3);
    return readSync(file, bytes, 0, 3, 0) === 3 && bytes.equals(Buffer.from([0xef, 0xbb, 0xbf]));
  } finally {
    closeSync(file);
  }
}
