// Semantic tokens of scenarios: everything at once, what has changed since the last answer, or a range.
// Requests: textDocument/semanticTokens/full, …/full/delta, …/range.

import type { SemanticTokens, SemanticTokensDelta } from 'vscode-languageserver';
import {
  SYNTACTIC_TYPES,
  TOKEN_MODIFIERS,
  TOKEN_TYPES,
  semanticTokens as tokensOf,
} from '../../../engine/assist/semantic-tokens.ts';
import { member } from '../client-features.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { type OpenDocument, offsetsOf, scenarioOf } from './place.ts';

interface Answer {
  id: string;
  data: number[];
}

export const semanticTokens: Feature = {
  capabilities: () => ({
    semanticTokensProvider: {
      legend: { tokenTypes: [...TOKEN_TYPES], tokenModifiers: [...TOKEN_MODIFIERS] },
      full: { delta: true },
      range: true,
    },
  }),
  listen(context: FeatureContext): void {
    const { connection, documents } = context;
    const { semanticTokens } = connection.languages;
    /** The last answer about each open document. */
    const answers = new Map<string, Answer>();
    let count = 0;
    const isSyntactic = (): boolean =>
      !context.client().declares('textDocument', 'semanticTokens', 'augmentsSyntaxTokens');

    const answer = (open: OpenDocument): Answer => {
      for (const uri of answers.keys()) if (documents.get(uri) === undefined) answers.delete(uri);
      const next = { id: String(++count), data: encode(open, isSyntactic(), 0, open.text.length) };
      answers.set(open.uri, next);
      return next;
    };

    semanticTokens.on((params): SemanticTokens => {
      const open = scenarioOf(context, params);
      if (open === undefined) return { data: [] };
      const { id, data } = answer(open);
      return { resultId: id, data };
    });
    semanticTokens.onDelta((params): SemanticTokens | SemanticTokensDelta => {
      const open = scenarioOf(context, params);
      if (open === undefined) return { data: [] };
      const before = answers.get(open.uri);
      const { id, data } = answer(open);
      if (before === undefined || before.id !== member(params, 'previousResultId')) return { resultId: id, data };
      return { resultId: id, edits: difference(before.data, data) };
    });
    semanticTokens.onRange((params): SemanticTokens => {
      const open = scenarioOf(context, params);
      if (open === undefined) return { data: [] };
      const { start, end } = offsetsOf(open.document, member(params, 'range'));
      return { data: encode(open, isSyntactic(), start, end) };
    });
  },
};

/** Five numbers for each token that touches `from` .. `to`, as the protocol has them. */
function encode({ document, view }: OpenDocument, isSyntactic: boolean, from: number, to: number): number[] {
  const data: number[] = [];
  const first = document.positionAt(from);
  const last = document.positionAt(to);
  let line = 0;
  let character = 0;
  for (const { start, tokens } of tokensOf(view().analysis, from, to)) {
    const base = document.positionAt(start);
    for (let i = 0; i < tokens.length; i += 4) {
      const what = tokens[i + 3];
      if (!isSyntactic && (what & 0xff) < SYNTACTIC_TYPES) continue;
      const atLine = base.line + tokens[i];
      const column = tokens[i] === 0 ? base.character + tokens[i + 1] : tokens[i + 1];
      const length = tokens[i + 2];
      if (atLine > last.line || (atLine === last.line && column > last.character)) break;
      if (atLine < first.line || (atLine === first.line && column + length < first.character)) continue;
      data.push(atLine - line, atLine === line ? column - character : column, length, what & 0xff, what >> 8);
      line = atLine;
      character = column;
    }
  }
  return data;
}

/** One edit, in whole tokens: what lies between the common beginning and the common end. */
function difference(before: readonly number[], now: readonly number[]): SemanticTokensDelta['edits'] {
  const shorter = Math.min(before.length, now.length);
  let start = 0;
  while (start < shorter && before[start] === now[start]) start++;
  if (start === before.length && start === now.length) return [];
  start -= start % 5;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === now[now.length - 1 - end]) end++;
  end -= end % 5;
  return [{ start, deleteCount: before.length - start - end, data: now.slice(start, now.length - end) }];
}
