// Where a request points to. What clients send is not trusted: a document that is not open has no answer, a position out of range is moved to the
// nearest place in the document, anything else that is not a position is the client's error.

import { ErrorCodes, type Range, ResponseError } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { DocumentView } from '../../../engine/view.ts';
import { member } from '../client-features.ts';
import { canonicalUri } from '../uri.ts';
import type { FeatureContext } from './feature.ts';

/** An open document. */
export interface OpenDocument {
  /** Canonical. */
  readonly uri: string;
  readonly document: TextDocument;
  readonly text: string;
  readonly isScenario: boolean;
  /** Only of scenarios. */
  view(): DocumentView;
}

/** A place in an open document. */
export interface DocumentPlace extends OpenDocument {
  /** UTF-16 code units from the document's start. */
  readonly offset: number;
}

/** The open document that `params.textDocument.uri` names; undefined if none is. Throws InvalidParams. */
export function documentOf(context: FeatureContext, params: unknown): OpenDocument | undefined {
  const named = member(member(params, 'textDocument'), 'uri');
  if (typeof named !== 'string') throw new ResponseError(ErrorCodes.InvalidParams, 'textDocument.uri is missing');
  return openDocument(context, canonicalUri(named));
}

/** The same for a canonical URI. */
export function openDocument(context: FeatureContext, uri: string): OpenDocument | undefined {
  const document = context.documents.get(uri);
  if (document === undefined) return undefined;
  return {
    uri,
    document,
    text: document.getText(),
    isScenario: context.documents.isScenario(uri),
    view: () => context.verdicts.view(uri, document.getText()),
  };
}

/** The scenario that `params` names. */
export function scenarioOf(context: FeatureContext, params: unknown): OpenDocument | undefined {
  const open = documentOf(context, params);
  return open?.isScenario ? open : undefined;
}

/** The place that `params.textDocument` and `params.position` name. Throws InvalidParams. */
export function placeOf(context: FeatureContext, params: unknown): DocumentPlace | undefined {
  const open = documentOf(context, params);
  if (open === undefined) return undefined;
  return { ...open, offset: offsetAt(open.document, member(params, 'position')) };
}

/** @param position `{ line, character }` of whatever type. Throws InvalidParams. */
export function offsetAt(document: TextDocument, position: unknown): number {
  const line = member(position, 'line');
  const character = member(position, 'character');
  if (!isCount(line) || !isCount(character))
    throw new ResponseError(ErrorCodes.InvalidParams, 'a position has no line and character');
  return document.offsetAt({ line: Math.max(0, Math.floor(line)), character: Math.max(0, Math.floor(character)) });
}

/** `params.range` in offsets, start first. Throws InvalidParams. */
export function offsetsOf(document: TextDocument, range: unknown): { start: number; end: number } {
  const a = offsetAt(document, member(range, 'start'));
  const b = offsetAt(document, member(range, 'end'));
  return { start: Math.min(a, b), end: Math.max(a, b) };
}

export function rangeOf(document: TextDocument, start: number, end: number): Range {
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && !Number.isNaN(value);
