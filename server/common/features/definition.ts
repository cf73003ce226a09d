// Where a name is declared: in this file, in one that it imports, in a library; the file that an `import` or `use` names; the C that an operation calls,
// in the model or in the patch or source that replaces it. From C and from patches in use: the function of the name.
// Requests: textDocument/definition, textDocument/declaration.

import { type Referent, referentAt } from '../../../engine/assist/referent.ts';
import type { CProgram } from '../../../engine/c/program.ts';
import { kernelModels } from '../../../engine/models/model.ts';
import { entryFunctions } from '../../../engine/run/operations/entries.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { answer, pathOfUri, programsWith, rangeIn, type Target, targetOf, wordAt } from './locations.ts';
import { type DocumentPlace, placeOf, rangeOf } from './place.ts';

export const definition: Feature = {
  capabilities: () => ({ definitionProvider: true, declarationProvider: true }),
  listen(context: FeatureContext): void {
    const { connection } = context;
    const go = (params: unknown, method: 'definition' | 'declaration') => {
      const place = placeOf(context, params);
      if (place === undefined) return null;
      const found = place.isScenario ? fromScenario(context, place) : fromC(context, place);
      if (found === undefined) return null;
      return answer(context, found.targets, rangeOf(place.document, found.start, found.end), method);
    };
    connection.onDefinition((params) => go(params, 'definition'));
    connection.onDeclaration((params) => go(params, 'declaration'));
  },
};

interface Found {
  /** Of the word asked about. */
  start: number;
  end: number;
  targets: Target[];
}

function fromScenario(context: FeatureContext, place: DocumentPlace): Found | undefined {
  const view = place.view();
  const referent = referentAt(view.analysis, place.offset, context.files);
  if (referent === undefined) return undefined;
  return { ...referent.at, targets: targetsOf(context, referent, () => view.environment()?.program) };
}

function targetsOf(context: FeatureContext, referent: Referent, program: () => CProgram | undefined): Target[] {
  switch (referent.is) {
    case 'declared': {
      const { path, declared } = referent;
      return [{ path, range: rangeIn(context, path, declared.start, declared.end) }];
    }
    case 'file':
      return [{ path: referent.path, range: beginning }];
    case 'kernel': {
      const sources = kernelModels.find((model) => model.name === referent.name)?.sources ?? [];
      const main = sources.find(({ path }) => path.endsWith('/sev.c')) ?? sources[0];
      return main === undefined ? [] : [{ path: main.path, range: beginning }];
    }
    case 'c-function':
      return functionTargets(program(), referent.name);
    case 'language': {
      const [entry] = entryFunctions[referent.name.name] ?? [];
      return entry === undefined || referent.name.kind !== 'operation' ? [] : functionTargets(program(), entry);
    }
  }
}

const beginning = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** The definition that runs, or what there is: a stubbed function has one that does not. */
export function functionTargets(program: CProgram | undefined, name: string): Target[] {
  const [found] = program?.outline.named(name) ?? [];
  if (found !== undefined) return [targetOf(found.nameLocation, found.location)];
  const declared = program?.outline.declaration(name);
  return declared === undefined ? [] : [targetOf(declared)];
}

function fromC(context: FeatureContext, place: DocumentPlace): Found | undefined {
  const at = wordAt(place.text, place.offset);
  if (at === undefined) return undefined;
  const path = pathOfUri(place.uri);
  const { line } = place.document.positionAt(at.start);
  for (const program of programsWith(context, path)) {
    const all = program.outline.named(at.word);
    // From a definition to the others of its name: what it replaces, or what replaces it.
    const isHere = all.some(({ nameLocation: l }) => l.path === path && l.range.start.line === line);
    const targets =
      isHere && all.length > 1
        ? all
            .filter(({ nameLocation: l }) => l.path !== path || l.range.start.line !== line)
            .map((one) => targetOf(one.nameLocation, one.location))
        : functionTargets(program, at.word);
    if (targets.length > 0) return { start: at.start, end: at.end, targets };
  }
  return undefined;
}
