// Who refers to what is declared, to an operation or query, to a C function, to a file: in all scenario files that are known, see known-files.ts, and in
// the C that open scenarios run on. And the same within one document, for the word under the cursor.
// Requests: textDocument/references, textDocument/documentHighlight.

import {
  type DocumentHighlight,
  DocumentHighlightKind,
  type Location,
  type Range,
  type ReferenceParams,
} from 'vscode-languageserver';
import { referencesIn } from '../../../engine/assist/references.ts';
import { type Referent, referentAt } from '../../../engine/assist/referent.ts';
import type { CProgram } from '../../../engine/c/program.ts';
import { member } from '../client-features.ts';
import { uriOfPath } from '../uri.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { analysisOf, scenarioFiles, textOf } from './known-files.ts';
import { openPrograms, pathOfUri, programsWith, rangeIn, uriOf, wordAt } from './locations.ts';
import { type DocumentPlace, placeOf, rangeOf } from './place.ts';

export const references: Feature = {
  capabilities: () => ({ referencesProvider: true, documentHighlightProvider: true }),
  listen(context: FeatureContext): void {
    const { connection } = context;
    connection.onReferences((params: ReferenceParams): Location[] | null => {
      const place = placeOf(context, params);
      if (place === undefined) return null;
      const referent = referentOfPlace(context, place);
      if (referent === undefined) return null;
      const withDeclaration = member(member(params, 'context'), 'includeDeclaration') !== false;
      return all(context, place, referent, withDeclaration);
    });
    connection.onDocumentHighlight((params): DocumentHighlight[] | null => {
      const place = placeOf(context, params);
      if (place === undefined) return null;
      const referent = referentOfPlace(context, place);
      if (referent === undefined) return null;
      if (!place.isScenario) return inThisC(context, place, referent);
      return referencesIn(place.view().analysis, referent, context.files).map(({ start, end, declares }) => ({
        range: rangeOf(place.document, start, end),
        kind: declares ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
      }));
    });
  },
};

/** What stands at a place of a scenario, or of C that a scenario uses. */
function referentOfPlace(context: FeatureContext, place: DocumentPlace): Referent | undefined {
  if (place.isScenario) return referentAt(place.view().analysis, place.offset, context.files);
  const at = wordAt(place.text, place.offset);
  if (at === undefined) return undefined;
  const known = programsWith(context, pathOfUri(place.uri)).some(
    ({ outline }) => outline.named(at.word).length > 0 || outline.declaration(at.word) !== undefined,
  );
  return known ? { at, is: 'c-function', name: at.word } : undefined;
}

function all(context: FeatureContext, place: DocumentPlace, referent: Referent, withDeclaration: boolean): Location[] {
  const found = new Map<string, Location>();
  const add = (path: string, range: Range) => {
    const location = { uri: uriOf(context, path), range };
    found.set(JSON.stringify(location), location);
  };
  const word = textToFind(referent, place);
  // Others know an open library by its bundled name.
  const elsewhere = referent.is === 'declared' ? { ...referent, path: pathOfUri(referent.path) } : referent;
  for (const uri of scenarioFiles(context)) {
    // Most files do not have the word: they need not be analysed.
    if (!textOf(context, uri)?.includes(word)) continue;
    const analysis = analysisOf(context, uri);
    if (analysis === undefined) continue;
    const meant = uri === place.uri ? referent : elsewhere;
    for (const { start, end, declares } of referencesIn(analysis, meant, context.files))
      if (withDeclaration || !declares) add(uri, rangeIn(context, uri, start, end));
  }
  // A library refers to its own sequences, and no open file is it.
  if (referent.is === 'declared' && withDeclaration)
    add(referent.path, rangeIn(context, referent.path, referent.declared.start, referent.declared.end));
  if (referent.is === 'c-function') {
    const programs = place.isScenario
      ? openPrograms(context).map(({ program }) => program)
      : programsWith(context, pathOfUri(place.uri));
    for (const program of programs)
      for (const { path, range, declares } of inC(program, referent.name))
        if (withDeclaration || !declares) add(path, range);
  }
  return [...found.values()];
}

/** A text that every file has in it that refers to this. */
function textToFind(referent: Referent, place: DocumentPlace): string {
  switch (referent.is) {
    case 'declared':
      return referent.name.name;
    case 'language':
      return referent.name.name.replace(/^.*\./, '');
    case 'file': {
      const written = place.text.slice(referent.at.start + 1, referent.at.end - 1);
      return written.slice(written.lastIndexOf('/') + 1);
    }
    default:
      return referent.name;
  }
}

/** Definitions of a function and the places in C that name it. */
function* inC(program: CProgram, name: string): Iterable<{ path: string; range: Range; declares: boolean }> {
  for (const { nameLocation } of program.outline.named(name)) yield { ...nameLocation, declares: true };
  for (const one of program.outline.functions)
    for (const mention of one.mentions()) if (mention.name === name) yield { ...mention.location, declares: false };
}

function inThisC(context: FeatureContext, place: DocumentPlace, referent: Referent): DocumentHighlight[] {
  const path = pathOfUri(place.uri);
  const [program] = programsWith(context, path);
  if (program === undefined || referent.is !== 'c-function') return [];
  return [...inC(program, referent.name)]
    .filter((one) => uriOfPath(one.path) === uriOfPath(path))
    .map(({ range, declares }) => ({
      range,
      kind: declares ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
    }));
}
