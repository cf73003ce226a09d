// What the tests share: opening a file of the workspace, waiting for its diagnostics, and asking the launcher for a picture.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { WebviewAction } from '../launcher/backend.ts';

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

/**
 * Has the launcher take a picture of the whole workbench, if it can; resolves when it is on disk.
 * @returns what can be read in it, or heard by a screen reader; undefined where no pictures are taken
 */
export async function screenshot(name: string): Promise<string | undefined> {
  const folder = process.env.SNP_SCREENSHOT_DIR;
  if (!folder) return undefined;
  const picture = join(folder, `${name}.png`);
  rmSync(picture, { force: true });
  console.log(`SCREENSHOT ${name}`);
  for (let tries = 0; tries < 100; tries++) {
    if (existsSync(picture)) return readFileSync(join(folder, `${name}.txt`), 'utf8');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the launcher took no picture: ${name}`);
}

/** Has the launcher do something and write a file about it; undefined where it cannot (desktop VS Code). */
async function ask<T>(what: string, argument: string): Promise<T | undefined> {
  const folder = process.env.SNP_SCREENSHOT_DIR;
  if (!folder) return undefined;
  const name = `${what.toLowerCase()}-${Date.now()}.json`;
  console.log(`${what} ${name} ${argument}`);
  const path = join(folder, name);
  for (let tries = 0; tries < 400; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!existsSync(path)) continue;
    try {
      const answer: T = JSON.parse(readFileSync(path, 'utf8'));
      rmSync(path);
      return answer;
    } catch {
      // It is still being written.
    }
  }
  throw new Error(`the launcher does not answer: ${what} ${argument}`);
}

/**
 * The texts of what a CSS selector finds in the workbench, for what no API tells: decorations, views. Undefined where the launcher cannot look (desktop
 * VS Code).
 */
export const shown = (selector: string): Promise<string[] | undefined> => ask('SHOWN', selector);

/**
 * Acts on what a CSS selector finds in a webview, as a user would, and returns the texts of all that it finds; undefined where the launcher cannot.
 */
export async function inWebview(action: WebviewAction): Promise<string[] | undefined> {
  const texts = await ask<string[]>('WEBVIEW', JSON.stringify(action));
  if (texts?.[0]?.startsWith('!')) throw new Error(texts[0].slice(1));
  return texts;
}

/** Takes pictures until the workbench shows a text; the last one stays. Where no pictures are taken, nothing is asserted. */
export async function seen(name: string, wanted: RegExp | string, milliseconds = 10_000): Promise<void> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const text = await screenshot(name);
    if (text === undefined) return;
    if (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)) return;
    if (Date.now() > end) throw new Error(`${name}.png does not show ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Process ids of the servers that this extension host has started. */
export function serverProcesses(): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args=']).toString().split('\n');
  return lines
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter(
      (match) =>
        match !== null && Number(match[2]) === process.pid && /dist[\\/]server[\\/]main\.js/.test(match[3] ?? ''),
    )
    .map((match) => Number(match?.[1]));
}
