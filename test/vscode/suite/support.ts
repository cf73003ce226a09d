// What the tests share: opening a file of the workspace, waiting for its diagnostics, and asking the launcher for a picture.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';

/** Opens a file of the test workspace, as it is on disk, in an editor. @param path relative to the workspace folder */
export async function open(path: string): Promise<vscode.TextEditor> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder) throw new Error('no workspace folder is open');
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, path));
  const editor = await vscode.window.showTextDocument(document);
  // Another test may have left edits that were not saved.
  if (document.isDirty) await vscode.commands.executeCommand('workbench.action.files.revert');
  return editor;
}

/** Resolves when `done` holds, looked at now and after every event; rejects with what `describe` says when it takes too long. */
async function until(
  done: () => boolean,
  subscribe: (look: () => void) => vscode.Disposable,
  describe: () => string,
  milliseconds: number,
): Promise<void> {
  if (done()) return;
  await new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      subscription.dispose();
      settle();
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`waited ${milliseconds} ms; ${describe()}`))),
      milliseconds,
    );
    const subscription = subscribe(() => done() && end(resolve));
  });
}

/** A diagnostic as one line: `12 warning RULE message`, the line counted from 1 as editors show it. */
export function summary(diagnostic: vscode.Diagnostic): string {
  const severity = ['error', 'warning', 'information', 'hint'][diagnostic.severity];
  return `${diagnostic.range.start.line + 1} ${severity} ${ruleOf(diagnostic)} ${diagnostic.message}`;
}

/** The first line that holds a text, from 0. */
export function lineOf(document: vscode.TextDocument, text: string): number {
  const at = document.getText().indexOf(text);
  if (at < 0) throw new Error(`not in the document: ${text}`);
  return document.positionAt(at).line;
}

/** The rule a diagnostic is coded with. */
export function ruleOf(diagnostic: vscode.Diagnostic): string {
  const { code } = diagnostic;
  return String(typeof code === 'object' ? code.value : (code ?? ''));
}

/** Waits until the document's diagnostics are as `wanted` says, and returns them. */
export async function diagnosticsOf(
  uri: vscode.Uri,
  wanted: (all: readonly vscode.Diagnostic[]) => boolean,
  milliseconds = 15_000,
): Promise<readonly vscode.Diagnostic[]> {
  const now = () => vscode.languages.getDiagnostics(uri);
  await until(
    () => wanted(now()),
    (look) => vscode.languages.onDidChangeDiagnostics(look),
    () => `the diagnostics are:\n${now().map(summary).join('\n') || '(none)'}`,
    milliseconds,
  );
  return now();
}

/** Replaces the first occurrence of a text in the document, as typing would. */
export async function replace(editor: vscode.TextEditor, text: string, by: string): Promise<void> {
  const at = editor.document.getText().indexOf(text);
  if (at < 0) throw new Error(`not in the document: ${text}`);
  const range = new vscode.Range(editor.document.positionAt(at), editor.document.positionAt(at + text.length));
  if (!(await editor.edit((builder) => builder.replace(range, by)))) throw new Error('the edit was refused');
}

/** Has the launcher take a picture of the whole workbench, if it can; resolves when it is on disk. */
export async function screenshot(name: string): Promise<void> {
  const folder = process.env.SNP_SCREENSHOT_DIR;
  if (!folder) return;
  console.log(`SCREENSHOT ${name}`);
  for (let tries = 0; tries < 100; tries++) {
    if (existsSync(join(folder, `${name}.png`))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the launcher took no picture: ${name}`);
}

/**
 * The texts of what a CSS selector finds in the workbench, for what no API tells: decorations, views. Undefined where the launcher cannot look (desktop
 * VS Code).
 */
export async function shown(selector: string): Promise<string[] | undefined> {
  const folder = process.env.SNP_SCREENSHOT_DIR;
  if (!folder) return undefined;
  const name = `shown-${Date.now()}.json`;
  console.log(`SHOWN ${name} ${selector}`);
  const path = join(folder, name);
  for (let tries = 0; tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!existsSync(path)) continue;
    try {
      const texts: string[] = JSON.parse(readFileSync(path, 'utf8'));
      rmSync(path);
      return texts;
    } catch {
      // It is still being written.
    }
  }
  throw new Error(`the launcher does not say what is shown: ${selector}`);
}
