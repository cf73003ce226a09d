// Debugging scenarios that are on no disk. The adapter reads files of the disk and whatever is open in the editor; so what a scenario of a virtual
// workspace uses is opened, out of sight, before its session starts.

import { Uri, workspace } from 'vscode';
import { type RunTestsResult, runTestsRequest, type TestEvents } from '../../server/common/protocol.ts';
import type { LanguageServer } from './language-server.ts';

/** What a launch configuration says of a document: a path if it is on disk, otherwise its URI. */
export const programOf = (uri: Uri): string => (uri.scheme === 'file' ? uri.fsPath : uri.toString());

/** Opens the program and what it uses, if they are on no disk. Never rejects: what cannot be had, the adapter will say. */
export async function bringHere(server: LanguageServer, program: unknown): Promise<void> {
  if (typeof program !== 'string' || !/^[a-z][a-z0-9+.-]+:/i.test(program)) return;
  const uri = Uri.parse(program);
  if (uri.scheme === 'file' || uri.scheme === 'untitled') return;
  try {
    const uses: string[] = [];
    const take = ({ events }: TestEvents) => {
      for (const event of events) if (event.kind === 'file-ended') uses.push(...event.uses);
    };
    await server.stream<TestEvents, RunTestsResult>(runTestsRequest, { files: [{ uri: program }] }, take);
    const files = [uri, ...uses.map((file) => Uri.parse(file)).filter(({ scheme }) => scheme !== 'file')];
    await Promise.allSettled(files.map((file) => workspace.openTextDocument(file)));
  } catch (error) {
    server.output.warn(`What ${program} uses is not known: ${error instanceof Error ? error.message : String(error)}`);
  }
}
