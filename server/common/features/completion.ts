// Completion, as engine/assist/complete.ts says. A list comes without documentation; that is resolved for the entry that is looked at, unless the client
// cannot ask for it.
// Requests: textDocument/completion, completionItem/resolve.

import {
  type Command,
  type CompletionItem,
  CompletionItemKind,
  type CompletionList,
  InsertTextFormat,
} from 'vscode-languageserver';
import { type Around, completionsAt } from '../../../engine/assist/complete.ts';
import { type Completion, type CompletionKind, plainSnippet } from '../../../engine/assist/completion.ts';
import { documentation } from '../../../engine/assist/documentation.ts';
import { happened } from '../../../engine/assist/happened.ts';
import type { DocumentView } from '../../../engine/view.ts';
import { type ClientFeatures, member } from '../client-features.ts';
import { canonicalUri, resolveUri } from '../uri.ts';
import { describeFunction } from './c-function.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { markup } from './markup.ts';
import { type DocumentPlace, openDocument, placeOf, rangeOf } from './place.ts';

const kinds: Record<CompletionKind, CompletionItemKind> = {
  keyword: CompletionItemKind.Keyword,
  actor: CompletionItemKind.Module,
  guest: CompletionItemKind.Class,
  operation: CompletionItemKind.Method,
  function: CompletionItemKind.Function,
  sequence: CompletionItemKind.Function,
  query: CompletionItemKind.Function,
  field: CompletionItemKind.Field,
  word: CompletionItemKind.EnumMember,
  value: CompletionItemKind.Value,
  variable: CompletionItemKind.Variable,
  setting: CompletionItemKind.Property,
  option: CompletionItemKind.Property,
  outcome: CompletionItemKind.Constant,
  rule: CompletionItemKind.Event,
  file: CompletionItemKind.File,
  folder: CompletionItemKind.Folder,
  library: CompletionItemKind.Module,
  kernel: CompletionItemKind.Module,
  snippet: CompletionItemKind.Snippet,
};

/** Characters of a path, of a member and of a list; the space is for what follows a keyword. */
const triggers = ['.', '(', ',', ' ', '"', '/', '#', ':', '{', '='];

export const completion: Feature = {
  capabilities: () => ({ completionProvider: { triggerCharacters: triggers, resolveProvider: true } }),
  listen(context: FeatureContext): void {
    context.connection.onCompletion((params) => {
      const place = placeOf(context, params);
      if (place?.isScenario !== true) return null;
      const typed = member(member(params, 'context'), 'triggerCharacter');
      return listAt(context, place, typeof typed === 'string' ? typed : undefined);
    });
    context.connection.onCompletionResolve((item) => resolved(context, item));
  },
};

/** Where lists open by themselves behind a space: not at the beginning of a line, where indenting would open one. */
function opensAt(text: string, offset: number, typed: string | undefined): boolean {
  if (typed === ' ') return /\S[ \t]$/.test(text.slice(Math.max(0, offset - 40), offset));
  // `{` of a pattern, not of a block.
  if (typed === '{') return /\bis\s+(?:not\s+)?\{$/.test(text.slice(Math.max(0, offset - 40), offset));
  if (typed === '#' || typed === '=')
    return /=>[ \t]*#$|\b[\w-]+[ \t]*=$/.test(text.slice(Math.max(0, offset - 60), offset));
  return true;
}

function listAt(context: FeatureContext, place: DocumentPlace, typed: string | undefined): CompletionList {
  const { text, document, offset } = place;
  if (!opensAt(text, offset, typed)) return { isIncomplete: false, items: [] };
  const client = context.client();
  const view = place.view();
  const { items, from, to } = completionsAt(view.analysis, offset, around(context, place, view));
  const range = rangeOf(document, from, to);
  const inserted = rangeOf(document, from, Math.max(from, Math.min(offset, to)));
  const says = (name: string): boolean => client.declares('textDocument', 'completion', 'completionItem', name);
  const replaces = says('insertReplaceSupport');
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  return {
    isIncomplete: false,
    items: items.map((one): CompletionItem => {
      const snippet = says('snippetSupport') ? one.snippet : undefined;
      const newText = (snippet ?? plainText(one)).replaceAll('\n', newline);
      const item: CompletionItem = {
        label: one.label,
        kind: kinds[one.kind],
        sortText: `${one.rank} ${one.label}`,
        filterText: one.label,
        textEdit: replaces ? { newText, insert: inserted, replace: range } : { range, newText },
      };
      if (snippet !== undefined) item.insertTextFormat = InsertTextFormat.Snippet;
      if (one.detail) item.detail = one.detail;
      if (one.signature !== undefined) {
        if (says('labelDetailsSupport')) item.labelDetails = { detail: one.signature };
        else item.detail ??= one.signature;
      }
      // A snippet has its brackets already.
      if (one.commit !== undefined && snippet === undefined && says('commitCharactersSupport'))
        item.commitCharacters = [...one.commit];
      if (one.preselect && says('preselectSupport')) item.preselect = true;
      const command = followUp(client, one, snippet);
      if (command !== undefined) item.command = command;
      if (one.text) item.documentation = markup(client, documentationPath, one.text);
      else if (one.doc !== undefined) {
        if (resolvesDocumentation(client)) item.data = { doc: one.doc, uri: document.uri };
        else addDocumentation(context, item, one.doc, document.uri);
      }
      return item;
    }),
  };
}

const documentationPath = ['textDocument', 'completion', 'completionItem', 'documentationFormat'] as const;

/** Of a snippet for a client without them: its text, but only what is meant to be written at once. */
const plainText = (one: Completion): string =>
  one.insert ?? (one.kind === 'snippet' && one.snippet !== undefined ? plainSnippet(one.snippet) : one.label);

const suggestsAgain = (client: ClientFeatures): boolean =>
  member(client.initializationOptions, 'suggestCommand') === true;

/** What opens behind an entry: the next list, or the parameters of the call that was written. Other clients would report that there is no such command. */
function followUp(client: ClientFeatures, one: Completion, snippet: string | undefined): Command | undefined {
  if (!suggestsAgain(client)) return undefined;
  if (one.goesOn) return { title: 'Suggest', command: 'editor.action.triggerSuggest' };
  const isCall = snippet?.includes('(') && one.kind !== 'snippet';
  return isCall ? { title: 'Parameters', command: 'editor.action.triggerParameterHints' } : undefined;
}

function resolvesDocumentation(client: ClientFeatures): boolean {
  const properties = client.capability('textDocument', 'completion', 'completionItem', 'resolveSupport', 'properties');
  return Array.isArray(properties) && properties.includes('documentation');
}

function resolved(context: FeatureContext, item: CompletionItem): CompletionItem {
  const doc = member(member(item, 'data'), 'doc');
  const uri = member(member(item, 'data'), 'uri');
  if (typeof doc === 'string' && typeof uri === 'string') addDocumentation(context, item, doc, uri);
  return item;
}

function addDocumentation(context: FeatureContext, item: CompletionItem, doc: string, uri: string): void {
  const text = doc.startsWith('c:') ? cDocumentation(context, doc.slice(2), uri) : documentation(doc);
  if (text !== undefined) item.documentation = markup(context.client(), documentationPath, text);
}

function cDocumentation(context: FeatureContext, name: string, uri: string): string | undefined {
  const open = openDocument(context, canonicalUri(uri));
  if (open?.isScenario !== true) return undefined;
  const found = describeFunction(open.view(), name);
  return found && `\`\`\`c\n${found.returns} ${name}(${found.parameters.join(', ')})\n\`\`\`\n\n${found.where}`;
}

function around(context: FeatureContext, place: DocumentPlace, view: DocumentView): Around {
  return {
    list: (folder) => {
      const uri = resolveUri(place.uri, folder === '' ? './x' : `${folder}x`);
      return uri === undefined ? [] : context.platform.list(uri.slice(0, uri.lastIndexOf('/') + 1));
    },
    functions: () => view.environment()?.functionNames() ?? [],
    happened: (unit, offset) => happened(view, unit, offset),
  };
}
