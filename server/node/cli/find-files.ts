// Which files `check PATH…` means: files as named, folders with every scenario below them, globs.

import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { reason } from '../disk.ts';

export interface FoundFile {
  /** Absolute. */
  path: string;
  /** As the user named it; below a folder or glob, relative to the working folder with `/`. */
  shown: string;
}

export interface FileError {
  path: string;
  message: string;
}

const extension = '.snpscenario';

/**
 * Every file once, at its first place: the arguments in their order, what a folder or glob holds in the order of the paths' code units.
 * A file named by itself is taken whatever its name ends with. `node_modules` and names with a leading dot are not searched.
 */
export async function findFiles(paths: readonly string[]): Promise<{ files: FoundFile[]; errors: FileError[] }> {
  const found = new Map<string, FoundFile>();
  const errors: FileError[] = [];
  const add = (shown: string) => {
    const path = resolve(shown);
    const real = realPath(path);
    if (!found.has(real)) found.set(real, { path, shown: slashed(shown) });
  };
  for (const path of paths) {
    const before = found.size;
    const hadErrors = errors.length;
    const kind = kindOf(path);
    if (kind === 'folder' && path.endsWith(extension))
      errors.push({ path: slashed(path), message: 'is a folder, not a scenario' });
    else if (kind === 'folder') {
      const below: string[] = [];
      walk(path, below, errors);
      for (const file of below.sort()) add(file);
      if (!below.length && errors.length === hadErrors) {
        errors.push({ path: slashed(path), message: `has no ${extension} file in it` });
      }
    } else if (kind === 'other') add(path);
    else if (isDynamicPattern(path)) {
      const matches = (await matching(path)).filter((file) => file.endsWith(extension)).sort();
      for (const file of matches) add(file);
      if (!matches.length && found.size === before) errors.push({ path, message: `matches no ${extension} file` });
    } else errors.push({ path: slashed(path), message: `cannot be read: ${kind.error}` });
  }
  return { files: [...found.values()], errors };
}

function kindOf(path: string): 'folder' | 'other' | { error: string } {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    return { error: reason(error) };
  }
}

/** Without symbolic links: a file that is found under two names is one. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // reading it will say why
  }
}

async function matching(pattern: string): Promise<string[]> {
  try {
    const files = await glob(pattern, { expandDirectories: false, ignore: ['**/node_modules/**'] });
    const all = new Set(files.map((file) => resolve(file)));
    // Of a file that is found under its own name and through a link, its own name.
    return files.filter((file) => realPath(resolve(file)) === resolve(file) || !all.has(realPath(resolve(file))));
  } catch {
    return []; // a folder on the way that cannot be read
  }
}

/** Not through symbolic links to folders: they may lead around in a circle. */
function walk(folder: string, files: string[], errors: FileError[]): void {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    errors.push({ path: slashed(folder), message: `cannot be read: ${reason(error)}` });
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name.endsWith(extension)) errors.push({ path: slashed(path), message: 'is a folder, not a scenario' });
      else if (entry.name !== 'node_modules' && !entry.name.startsWith('.')) walk(path, files, errors);
    } else if (entry.name.endsWith(extension)) files.push(path);
  }
}

/** A path as reports show it, with `/` on every platform. */
export function slashed(path: string): string {
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}
