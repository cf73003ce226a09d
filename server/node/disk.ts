// Text files on disk. Nothing here throws: what cannot be read says why, in words that stand after “cannot be read:”.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileStamp } from '../common/platform.ts';

/** Bytes. Larger than any source, patch or mailbox that one scenario uses. */
const largestFile = 64 * 1024 * 1024;

export type ReadResult = { text: string } | { error: string };

/**
 * The text of a file, without a byte order mark.
 * @param encoding `strict`: bytes that are not UTF-8 are an error. `lenient`: they become U+FFFD, for C and mail of old, whose comments
 * and names may be in Latin-1.
 */
export function readText(path: string, encoding: 'strict' | 'lenient'): ReadResult {
  try {
    // Looked at first: opening a named pipe would wait for its writer.
    const status = statSync(path);
    if (status.isDirectory()) return { error: 'it is a folder' };
    if (!status.isFile()) return { error: 'it is not a regular file' };
    if (status.size > largestFile) return { error: `it is larger than ${largestFile / 1024 / 1024} MB` };
    const bytes = readFileSync(path);
    if (bytes.includes(0)) return { error: 'it is not text, it contains a NUL byte' };
    return { text: new TextDecoder('utf-8', { fatal: encoding === 'strict' }).decode(bytes) };
  } catch (error) {
    return { error: reason(error) };
  }
}

export function readUri(uri: string): ReadResult {
  const path = pathOfUri(uri);
  return path === undefined ? { error: 'this URI names no file of this machine' } : readText(path, 'lenient');
}

/** Changes when the file does; cheap. */
export function stampOfUri(uri: string): FileStamp {
  const path = pathOfUri(uri);
  if (path === undefined) return undefined;
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}

/** Entries of a folder that are offered at most. */
const mostEntries = 5000;

/** What is in a folder; links count as what they lead to. */
export function listUri(uri: string): { name: string; isFolder: boolean }[] {
  const path = pathOfUri(uri);
  if (path === undefined) return [];
  try {
    return readdirSync(path, { withFileTypes: true })
      .slice(0, mostEntries)
      .map((entry) => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink() ? isFolder(join(path, entry.name)) : entry.isDirectory(),
      }));
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function pathOfUri(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'part of its path is no folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
