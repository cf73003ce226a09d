// Code actions: fixes for what is reported at a place, quantities written in another way, everything mechanical of a file at once. What a fix is,
// engine/assist/fixes.ts says. A client that knows no code action literals gets commands, which the server carries out as edits.
// Requests: textDocument/codeAction, codeAction/resolve, workspace/executeCommand.

import {
  type CodeAction,
  CodeActionKind,
  type Command,
  type Connection,
  type Diagnostic,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  type SnippetTextEdit,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { plainSnippet } from '../../../engine/assist/completion.ts';
import { conversionsAt } from '../../../engine/assist/conversions.ts';
import type { Fix, Reported } from '../../../engine/assist/fix.ts';
import { fixesFor, mechanicalFixes, someWork } from '../../../engine/assist/fixes.ts';
import type { Diagnostic as EngineDiagnostic } from '../../../engine/base/diagnostic.ts';
import { type ClientFeatures, member } from '../client-features.ts';
import { canonicalUri, uriOfPath } from '../uri.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { type OpenDocument, offsetsOf, openDocument, rangeOf, scenarioOf } from './place.ts';

export const fixAllKind = `${CodeActionKind.SourceFixAll}.snpscenario`;
/** For clients that take commands only: applies the edit that is its argument. */
const applyCommand = 'snpScenario.applyFix';

const takesLiterals = (client: ClientFeatures): boolean =>
  member(client.capability('textDocument', 'codeAction', 'codeActionLiteralSupport'), 'codeActionKind') !== undefined;

export const codeAction: Feature = {
  capabilities: (client) =>
    takesLiterals(client)
      ? {
          codeActionProvider: {
            codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.RefactorRewrite, fixAllKind],
            resolveProvider: true,
          },
        }
      : { codeActionProvider: true, executeCommandProvider: { commands: [applyCommand] } },
  listen(context: FeatureContext): void {
    const { connection } = context;
    connection.onCodeAction(async (params, token) => {
      const asked = scenarioOf(context, params);
      if (asked === undefined) return null;
      const cancelled = new Promise<void>((resolve) => token.onCancellationRequested(() => resolve()));
      await Promise.race([context.verdicts.settled(asked.uri), cancelled]);
      if (token.isCancellationRequested) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
      // It may have been edited or closed meanwhile.
      const open = openDocument(context, asked.uri);
      return open?.isScenario ? actions(context, open, params) : null;
    });
    connection.onCodeActionResolve((action) => resolved(context, action));
    connection.onExecuteCommand((params) => execute(connection, params));
  },
};

// ---------------------------------------------------------------- the list

function actions(context: FeatureContext, open: OpenDocument, params: unknown): (CodeAction | Command)[] {
  const client = context.client();
  const { start, end } = offsetsOf(open.document, member(params, 'range'));
  const wants = wanted(member(member(params, 'context'), 'only'));
  const shown = member(member(params, 'context'), 'diagnostics');
  const all = reports(context, open);
  const found: CodeAction[] = [];
  if (wants(CodeActionKind.QuickFix)) {
    const here = all.filter((one) => one.start <= end && one.end >= start);
    found.push(...quickFixes(context, open, here, all, Array.isArray(shown) ? shown : []));
  }
  if (wants(CodeActionKind.RefactorRewrite)) {
    for (const fix of conversionsAt(open.view().analysis, start))
      found.push({
        title: fix.title,
        kind: CodeActionKind.RefactorRewrite,
        edit: workspaceEdit(client, open.document, fix),
      });
  }
  // Only for who asks: everything of a file is no answer to a question about a line.
  if (wants(fixAllKind) && member(member(params, 'context'), 'only') !== undefined) {
    const fixes = mechanicalOf(open, all);
    if (fixes.length > 0) found.push(fixAll(context, open, 'Fix all in this file', fixAllKind, fixes));
  }
  return takesLiterals(client) ? found : found.map(asCommand);
}

/** Whether the client wants actions of a kind: all if it names none. */
function wanted(only: unknown): (kind: string) => boolean {
  if (!Array.isArray(only)) return () => true;
  const kinds = only.filter((kind) => typeof kind === 'string');
  return (kind) => kinds.some((one) => one === '' || kind === one || kind.startsWith(`${one}.`));
}

interface Report extends Reported {
  readonly diagnostic: EngineDiagnostic;
}

/** What the last check said of the document itself. The text is the one that it was about: its verdict has been waited for. */
function reports(context: FeatureContext, open: OpenDocument): Report[] {
  const { document } = open;
  return (context.verdicts.lastResult(open.uri)?.diagnostics ?? [])
    .filter(({ location }) => canonicalUri(uriOfPath(location.path)) === open.uri)
    .map((diagnostic) => ({
      rule: diagnostic.rule,
      start: document.offsetAt(diagnostic.location.range.start),
      end: document.offsetAt(diagnostic.location.range.end),
      data: diagnostic.data,
      diagnostic,
    }));
}

function quickFixes(
  context: FeatureContext,
  open: OpenDocument,
  here: readonly Report[],
  all: readonly Report[],
  shown: readonly unknown[],
): CodeAction[] {
  const client = context.client();
  const view = open.view();
  const found = new Map<string, CodeAction>();
  const work = someWork();
  for (const report of here) {
    const diagnostics = shown.filter((one) => isAbout(one, report.diagnostic)) as Diagnostic[];
    for (const fix of fixesFor(view, report, work)) {
      const key = JSON.stringify([fix.title, fix.edits]);
      const known = found.get(key);
      if (known !== undefined) {
        known.diagnostics?.push(...diagnostics);
        continue;
      }
      const action: CodeAction = {
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        edit: workspaceEdit(client, open.document, fix),
      };
      if (diagnostics.length > 0) action.diagnostics = diagnostics;
      if (fix.preferred && client.declares('textDocument', 'codeAction', 'isPreferredSupport'))
        action.isPreferred = true;
      found.set(key, action);
    }
  }
  const listed = [...found.values()];
  for (const group of ['outcomes', 'allows'] as const) {
    const belongs = (report: Report): boolean => groupOf(report) === group;
    if (!here.some(belongs)) continue;
    const fixes = mechanicalOf(open, all.filter(belongs));
    if (fixes.length > 1) {
      const title = group === 'outcomes' ? 'Expect what happened, everywhere in this file' : 'Remove all unused allows';
      listed.push(fixAll(context, open, title, CodeActionKind.QuickFix, fixes, group));
    }
  }
  return listed;
}

/** What can be done together. */
const groupOf = (report: Report): 'outcomes' | 'allows' | undefined =>
  member(report.data, 'kind') === 'expect-outcome' ? 'outcomes' : report.rule === 'ALLOW-UNUSED' ? 'allows' : undefined;

/** The client's diagnostic for one of ours. */
function isAbout(shown: unknown, { rule, location }: EngineDiagnostic): boolean {
  const start = member(member(shown, 'range'), 'start');
  return (
    member(shown, 'code') === rule &&
    member(start, 'line') === location.range.start.line &&
    member(start, 'character') === location.range.start.character
  );
}

// ---------------------------------------------------------------- all at once

/** None of them overlapping another. */
function mechanicalOf(open: OpenDocument, all: readonly Report[]): Fix[] {
  const view = open.view();
  const fixes: Fix[] = [];
  let end = -1;
  const work = someWork();
  // A loop can report the same of a step several times.
  const places = new Map(all.map((report) => [`${report.rule} ${report.start}`, report]));
  const found = [...places.values()].flatMap((report) =>
    mechanicalFixes(view, report, work).filter((fix) => fix.mechanical),
  );
  for (const fix of found.sort((a, b) => a.edits[0].from - b.edits[0].from)) {
    if (fix.edits.some(({ from }) => from <= end)) continue;
    end = Math.max(...fix.edits.map(({ to }) => to));
    fixes.push(fix);
  }
  return fixes;
}

const together = (fixes: readonly Fix[]): Fix => ({ title: '', edits: fixes.flatMap(({ edits }) => edits) });

function fixAll(
  context: FeatureContext,
  open: OpenDocument,
  title: string,
  kind: string,
  fixes: readonly Fix[],
  group?: string,
): CodeAction {
  const client = context.client();
  if (resolvesEdits(client))
    return { title, kind, data: { uri: open.document.uri, ...(group === undefined ? {} : { group }) } };
  return { title, kind, edit: workspaceEdit(client, open.document, together(fixes)) };
}

function resolvesEdits(client: ClientFeatures): boolean {
  const properties = client.capability('textDocument', 'codeAction', 'resolveSupport', 'properties');
  return (
    client.declares('textDocument', 'codeAction', 'dataSupport') &&
    Array.isArray(properties) &&
    properties.includes('edit')
  );
}

function resolved(context: FeatureContext, action: CodeAction): CodeAction {
  const uri = member(member(action, 'data'), 'uri');
  const group = member(member(action, 'data'), 'group');
  const open = typeof uri === 'string' ? openDocument(context, canonicalUri(uri)) : undefined;
  if (open?.isScenario !== true) return action;
  const all = reports(context, open).filter((report) => group === undefined || groupOf(report) === group);
  action.edit = workspaceEdit(context.client(), open.document, together(mechanicalOf(open, all)));
  return action;
}

// ---------------------------------------------------------------- edits

function workspaceEdit(client: ClientFeatures, document: TextDocument, fix: Fix): WorkspaceEdit {
  const versioned = client.declares('workspace', 'workspaceEdit', 'documentChanges');
  const snippets = versioned && client.declares('workspace', 'workspaceEdit', 'snippetEditSupport');
  const edits = fix.edits.map(({ from, to, text }): TextEdit | SnippetTextEdit => {
    const range = rangeOf(document, from, to);
    if (fix.placeholders !== true) return { range, newText: text };
    return snippets ? { range, snippet: { kind: 'snippet', value: text } } : { range, newText: plainSnippet(text) };
  });
  if (!versioned) return { changes: { [document.uri]: edits as TextEdit[] } };
  return { documentChanges: [{ textDocument: { uri: document.uri, version: document.version }, edits }] };
}

function asCommand({ title, edit }: CodeAction): Command {
  return { title, command: applyCommand, arguments: [edit] };
}

function execute(connection: Connection, params: unknown): null {
  if (member(params, 'command') !== applyCommand)
    throw new ResponseError(ErrorCodes.InvalidParams, 'there is no such command');
  const given = member(params, 'arguments');
  const edit: unknown = Array.isArray(given) ? given[0] : undefined;
  if (member(edit, 'changes') === undefined && member(edit, 'documentChanges') === undefined)
    throw new ResponseError(ErrorCodes.InvalidParams, 'the argument is no edit');
  // The answer to the command does not wait for the user, who may be asked.
  connection.workspace.applyEdit(edit as WorkspaceEdit).catch(() => {});
  return null;
}
