// Files that the server cannot read, because they are on no disk: VS Code has them from an extension (GitHub repositories, archives, memory).
// Answers snpScenario/readFile.

import { FileSystemError, FileType, Uri, workspace } from 'vscode';
import type { ReadFileResult } from '../../server/common/protocol.ts';

/** Bytes. As for files on disk. */
const largestFile = 64 * 1024 * 1024;

/** Never rejects. */
export async function readFile(uri: unknown): Promise<ReadFileResult> {
  if (typeof uri !== 'string') return { error: 'it has no URI' };
  try {
    const file = Uri.parse(uri, true);
    const { type, size } = await workspace.fs.stat(file);
    if (type & FileType.Directory) return { error: 'it is a folder' };
    if (size > largestFile) return { error: `it is larger than ${largestFile / 1024 / 1024} MB` };
    const bytes = await workspace.fs.readFile(file);
    if (bytes.includes(0)) return { error: 'it is not text, it contains a NUL byte' };
    return { text: new TextDecoder().decode(bytes) };
  } catch (error) {
    if (error instanceof FileSystemError && error.code === 'FileNotFound') return { error: 'no such file' };
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
