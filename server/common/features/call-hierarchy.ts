// Who calls what: scenarios and sequences, sequences of imported files and libraries, and on into the C that operations enter; C functions of the model
// and of patches and sources in use among each other, and back to the scenarios.
// Requests: textDocument/prepareCallHierarchy, callHierarchy/incomingCalls, callHierarchy/outgoingCalls.

import {
  type CallHierarchyIncomingCall,
  type CallHierarchyItem,
  type CallHierarchyOutgoingCall,
  ErrorCodes,
  type Range,
  ResponseError,
  SymbolKind,
} from 'vscode-languageserver';
import { type Callee, type Caller, type CallSite, callerAt, callers, calls } from '../../../engine/assist/calls.ts';
import { referentAt } from '../../../engine/assist/referent.ts';
import type { COutlineFunction } from '../../../engine/c/c-outline.ts';
import type { CProgram } from '../../../engine/c/program.ts';
import { modelText } from '../../../engine/models/model.ts';
import { entryFunctions } from '../../../engine/run/operations/entries.ts';
import { type Analysis, analyze } from '../../../engine/scenario/analyze.ts';
import { isLibraryPath } from '../../../engine/scenario/library.ts';
import { member } from '../client-features.ts';
import type { Feature, FeatureContext } from './feature.ts';
import { analysisOf, scenarioFiles, textOf } from './known-files.ts';
import { openPrograms, pathOfUri, programsWith, rangeIn, uriOf, wordAt } from './locations.ts';
import { placeOf } from './place.ts';

/** What an item carries from one request to the next. */
interface ItemData {
  /** `sequence`, `scenario` or `function`. */
  is: string;
  name: string;
  /** The file it is declared in, as the engine knows it. */
  path: string;
  /** Offset of its name there; 0 for functions. */
  at: number;
}

export const callHierarchy: Feature = {
  capabilities: () => ({ callHierarchyProvider: true }),
  listen(context: FeatureContext): void {
    const { callHierarchy } = context.connection.languages;
    callHierarchy.onPrepare((params): CallHierarchyItem[] | null => prepare(context, params));
    callHierarchy.onIncomingCalls((params): CallHierarchyIncomingCall[] => {
      const data = dataOf(params);
      return data.is === 'function' ? callersOfFunction(context, data) : callersOfSequence(context, data);
    });
    callHierarchy.onOutgoingCalls((params): CallHierarchyOutgoingCall[] => {
      const data = dataOf(params);
      return data.is === 'function' ? calledByFunction(context, data) : calledByCaller(context, data);
    });
  },
};

function prepare(context: FeatureContext, params: unknown): CallHierarchyItem[] | null {
  const place = placeOf(context, params);
  if (place === undefined) return null;
  if (!place.isScenario) {
    const at = wordAt(place.text, place.offset);
    const [program] = programsWith(context, pathOfUri(place.uri));
    const found = at === undefined ? undefined : functionOf(program, at.word);
    return found === undefined ? null : [functionItem(context, found)];
  }
  const view = place.view();
  const { analysis } = view;
  const referent = referentAt(analysis, place.offset, context.files);
  if (referent === undefined) {
    // The name of a scenario.
    const caller = callerAt(callers(analysis), place.offset);
    const isNamed = caller !== undefined && place.offset >= caller.nameStart && place.offset <= caller.nameEnd;
    return isNamed ? [callerItem(context, analysis.path, caller)] : null;
  }
  if (referent.is === 'declared') {
    if (referent.name.kind !== 'sequence') return null;
    const item = sequenceItem(context, referent.path, referent.declared.start);
    return item === undefined ? null : [item];
  }
  const name =
    referent.is === 'c-function'
      ? referent.name
      : referent.is === 'language' && referent.name.kind === 'operation'
        ? entryFunctions[referent.name.name]?.[0]
        : undefined;
  const found = name === undefined ? undefined : functionOf(view.environment()?.program, name);
  return found === undefined ? null : [functionItem(context, found)];
}

/** Throws InvalidParams. */
function dataOf(params: unknown): ItemData {
  const data = member(member(params, 'item'), 'data');
  const [is, name, path, at] = ['is', 'name', 'path', 'at'].map((key) => member(data, key));
  if (typeof is !== 'string' || typeof name !== 'string' || typeof path !== 'string' || typeof at !== 'number')
    throw new ResponseError(ErrorCodes.InvalidParams, 'the item is none of ours');
  return { is, name, path, at };
}

// ---------------------------------------------------------------- items

/** The analysis of a scenario file or library. */
function analysisAt(context: FeatureContext, path: string): Analysis | undefined {
  if (!isLibraryPath(path)) return analysisOf(context, path);
  const text = modelText(path);
  return text === undefined ? undefined : analyze(path, text, context.files);
}

function callerItem(context: FeatureContext, path: string, caller: Caller): CallHierarchyItem {
  const data: ItemData = { is: caller.kind, name: caller.name, path, at: caller.nameStart };
  return {
    name: caller.name,
    kind: caller.kind === 'scenario' ? SymbolKind.Event : SymbolKind.Function,
    ...(caller.detail === '' ? {} : { detail: caller.detail }),
    uri: uriOf(context, path),
    range: rangeIn(context, path, caller.start, caller.end),
    selectionRange: rangeIn(context, path, caller.nameStart, caller.nameEnd),
    data,
  };
}

function sequenceItem(context: FeatureContext, path: string, nameStart: number): CallHierarchyItem | undefined {
  const analysis = analysisAt(context, path);
  const caller = analysis && callers(analysis).find((one) => one.nameStart === nameStart);
  return caller && callerItem(context, path, caller);
}

const functionOf = (program: CProgram | undefined, name: string): COutlineFunction | undefined =>
  program?.outline.named(name)[0];

function functionItem(context: FeatureContext, one: COutlineFunction): CallHierarchyItem {
  const { path, range } = one.location;
  const data: ItemData = { is: 'function', name: one.name, path, at: 0 };
  // Across the lines of a patch a head may stand elsewhere than the body.
  const selectionRange =
    one.nameLocation.path === path ? one.nameLocation.range : { start: range.start, end: range.start };
  return {
    name: one.name,
    kind: SymbolKind.Function,
    detail: path.slice(path.lastIndexOf('/') + 1),
    uri: uriOf(context, path),
    range,
    selectionRange,
    data,
  };
}

/** The programs that a function of this name in this file is part of. */
function programsOf(context: FeatureContext, { name, path }: ItemData): CProgram[] {
  return openPrograms(context)
    .map(({ program }) => program)
    .filter((program) => program.outline.named(name).some((one) => one.location.path === path));
}

// ---------------------------------------------------------------- calls

interface Group<T> {
  item: T;
  ranges: Range[];
}

/** Collects the places of calls by who is at their other end. */
class Groups<T> {
  private readonly groups = new Map<string, Group<T>>();

  add(key: string, item: () => T | undefined, range: Range): void {
    let group = this.groups.get(key);
    if (group === undefined) {
      const made = item();
      if (made === undefined) return;
      group = { item: made, ranges: [] };
      this.groups.set(key, group);
    }
    const { start } = range;
    if (!group.ranges.some((one) => one.start.line === start.line && one.start.character === start.character))
      group.ranges.push(range);
  }

  list(): Group<T>[] {
    return [...this.groups.values()];
  }
}

function calledByCaller(context: FeatureContext, data: ItemData): CallHierarchyOutgoingCall[] {
  const analysis = analysisAt(context, data.path);
  if (analysis === undefined) return [];
  const groups = new Groups<CallHierarchyItem>();
  // The C of the file itself first; an imported file runs on that of those that import it.
  const programs = openPrograms(context)
    .sort((a, b) => Number(b.uri === data.path) - Number(a.uri === data.path))
    .map(({ program }) => program);
  for (const { caller, callee, at } of calls(analysis)) {
    if (caller.nameStart !== data.at) continue;
    const range = rangeIn(context, data.path, at.start, at.end);
    groups.add(keyOf(callee), () => itemOf(context, callee, programs), range);
  }
  return groups.list().map(({ item, ranges }) => ({ to: item, fromRanges: ranges }));
}

const keyOf = (callee: Callee): string =>
  callee.is === 'function' ? `function ${callee.name}` : `sequence ${callee.path} ${callee.declared.start}`;

function itemOf(context: FeatureContext, callee: Callee, programs: readonly CProgram[]): CallHierarchyItem | undefined {
  if (callee.is === 'sequence') return sequenceItem(context, callee.path, callee.declared.start);
  for (const program of programs) {
    const found = functionOf(program, callee.name);
    if (found !== undefined) return functionItem(context, found);
  }
  return undefined;
}

function callersOfSequence(context: FeatureContext, data: ItemData): CallHierarchyIncomingCall[] {
  if (data.is !== 'sequence') return [];
  return callersIn(
    context,
    data.name,
    ({ callee }) => callee.is === 'sequence' && callee.path === data.path && callee.declared.start === data.at,
    isLibraryPath(data.path) ? [data.path] : [],
  );
}

/** Scenarios and sequences of known files with such calls. */
function callersIn(
  context: FeatureContext,
  word: string | undefined,
  isMeant: (site: CallSite) => boolean,
  more: readonly string[] = [],
): CallHierarchyIncomingCall[] {
  const groups = new Groups<CallHierarchyItem>();
  for (const path of [...scenarioFiles(context), ...more]) {
    if (word !== undefined && !isLibraryPath(path) && !textOf(context, path)?.includes(word)) continue;
    const analysis = analysisAt(context, path);
    if (analysis === undefined) continue;
    for (const site of calls(analysis)) {
      if (!isMeant(site)) continue;
      const { caller, at } = site;
      const range = rangeIn(context, path, at.start, at.end);
      groups.add(`${path} ${caller.nameStart}`, () => callerItem(context, path, caller), range);
    }
  }
  return groups.list().map(({ item, ranges }) => ({ from: item, fromRanges: ranges }));
}

function calledByFunction(context: FeatureContext, data: ItemData): CallHierarchyOutgoingCall[] {
  const groups = new Groups<CallHierarchyItem>();
  for (const program of programsOf(context, data)) {
    const one = program.outline.named(data.name).find(({ location }) => location.path === data.path);
    for (const { name, call, location } of one?.mentions() ?? []) {
      if (!call || location.path !== data.path) continue;
      const to = functionOf(program, name);
      if (to !== undefined) groups.add(`${to.location.path} ${name}`, () => functionItem(context, to), location.range);
    }
  }
  return groups.list().map(({ item, ranges }) => ({ to: item, fromRanges: ranges }));
}

function callersOfFunction(context: FeatureContext, data: ItemData): CallHierarchyIncomingCall[] {
  const groups = new Groups<CallHierarchyItem>();
  for (const program of programsOf(context, data)) {
    // What does not run when the name is called is called by nobody.
    if (functionOf(program, data.name)?.location.path !== data.path) continue;
    for (const one of program.outline.functions) {
      for (const { name, call, location } of one.mentions()) {
        if (!call || name !== data.name || location.path !== one.location.path) continue;
        groups.add(`${one.location.path} ${one.name}`, () => functionItem(context, one), location.range);
      }
    }
  }
  const inC = groups.list().map(({ item, ranges }) => ({ from: item, fromRanges: ranges }));
  const inScenarios = callersIn(
    context,
    undefined,
    ({ callee }) => callee.is === 'function' && callee.name === data.name,
  );
  return [...inScenarios, ...inC];
}
