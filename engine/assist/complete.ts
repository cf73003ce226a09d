/**
 * Completion: what can stand at a place of a scenario file, by what the language expects there. The tables of the language say what there is; the document
 * says which names there are and what values are about.
 *
 * Everything that can be said lazily is (see documentation.ts): a list is made on every keystroke, its documentation for the one entry that is looked at.
 */

import { allowableRules, ruleInfo } from '../invariants/catalogue.ts';
import { kernelModels } from '../models/model.ts';
import type { Analysis } from '../scenario/analyze.ts';
import { libraryNames } from '../scenario/library.ts';
import type { ScenarioUnit } from '../scenario/program.ts';
import { ACTORS } from '../scenario/words.ts';
import { completeFields, completeFieldValue, completeQueries, completeWords } from './complete-condition.ts';
import { completeOutcomes } from './complete-outcome.ts';
import { completeOptions, completeOptionValue, completeSettings, completeSettingValue } from './complete-settings.ts';
import { completeDeclarations, completeOperations, completeStatements } from './complete-statement.ts';
import { completeValue } from './complete-value.ts';
import type { Completion } from './completion.ts';
import { type Cursor, cursorAt } from './cursor.ts';
import { type Expected, expectedAt, type Names } from './expected.ts';
import { type VisibleName, visibleNames } from './visible.ts';

/** What completion asks of the world beyond the document. All of it may be slow, or not there. */
export interface Around {
  /** Names and kinds of what is in a folder, relative to the document; empty if it cannot be read. */
  list(folder: string): readonly { name: string; isFolder: boolean }[];
  /** Names of the C functions of the kernel in use. */
  functions(): Iterable<string>;
  /** What the step at this offset comes to, if it can be known quickly: canonical text after `=>`. */
  happened(unit: ScenarioUnit, offset: number): string | undefined;
}

export interface Completions {
  items: Completion[];
  /** What is replaced, absolute. */
  from: number;
  to: number;
}

/** The document at a place, as the files beside this one need it. */
export interface At {
  readonly analysis: Analysis;
  readonly cursor: Cursor;
  readonly names: readonly VisibleName[];
  readonly resolver: Names;
  readonly around: Around;
}

export function completionsAt(analysis: Analysis, offset: number, around: Around): Completions {
  const cursor = cursorAt(analysis, offset);
  const names = visibleNames(analysis, cursor.blockNode, cursor.word.from);
  const resolver = namesOf(names);
  const expected = expectedAt(cursor, resolver);
  const at: At = { analysis, cursor, names, resolver, around };
  const { from, to } = cursor.string === undefined ? cursor.word : replacedInText(cursor.string);
  return { items: distinct(items(at, expected)), from, to };
}

export function namesOf(names: readonly VisibleName[]): Names {
  return {
    isGuest: (name) => names.some((one) => one.name === name && (one.kind === 'guest' || one.what === 'parameter')),
  };
}

function items(at: At, expected: Expected): Completion[] {
  switch (expected.is) {
    case 'nothing':
      return [];
    case 'declaration':
      return completeDeclarations(at);
    case 'statement':
      return completeStatements(at);
    case 'operation':
      return completeOperations(at, expected);
    case 'setting':
    case 'slot-setting':
      return completeSettings(expected);
    case 'setting-value':
      return completeSettingValue(at, expected);
    case 'option':
      return completeOptions();
    case 'option-value':
      return completeOptionValue(expected.name);
    case 'words':
      return expected.words.flatMap((word) => (word === '@guests' ? guests(at) : [keyword(word)]));
    case 'use':
      return ['kernel', 'patch', 'source'].map((word) => ({
        ...keyword(word),
        goesOn: true,
        snippet: `${word} "$1"`,
        insert: word,
      }));
    case 'text':
      return completeText(at, expected.of);
    case 'c-function':
      return functionNames(at, 'c');
    case 'value':
      return completeValue(at, expected.wanted, expected.ranges);
    case 'after-value':
      return expected.words.map(keyword);
    case 'query':
      return [...completeQueries(at), ...(expected.all ? [] : [keyword('all')])];
    case 'claim':
      return [...completeQueries(at).filter((one) => one.label !== 'log'), keyword('not')];
    case 'condition':
      return conditionWords(expected.query, expected.negated);
    case 'word-of-query':
      return completeWords(at, expected.query, expected.negated);
    case 'field':
      return completeFields(expected.query, expected.given, expected.negated);
    case 'field-value':
      return completeFieldValue(at, expected.query, expected.field) ?? expected.after.map(keyword);
    case 'after-step':
      return expected.words.map(keyword);
    case 'outcome':
    case 'fault-bits':
      return completeOutcomes(at, expected);
    case 'rule':
      return allowableRules.map((rule) => ({
        label: rule,
        kind: 'rule',
        detail: ruleInfo(rule)?.statement ?? '',
        doc: `rule:${rule}`,
        snippet: `${rule} "\${1:reason}"`,
        insert: rule,
        rank: 0,
      }));
  }
}

const conditionWords = (query: string, negated: boolean): Completion[] => {
  if (query === 'log') return [keyword('contains'), ...(negated ? [] : [keyword('not')])];
  return negated ? [] : [keyword('is')];
};

export const keyword = (label: string): Completion => ({
  label,
  kind: 'keyword',
  rank: 5,
  ...(label === '=>' || label === 'is' || label === 'in' || label === 'step' || label === 'allow'
    ? { insert: `${label} `, goesOn: true as const }
    : {}),
});

export const guests = ({ names }: At): Completion[] =>
  names
    .filter((name) => name.kind === 'guest')
    .map((name) => ({ label: name.name, kind: 'guest', detail: name.declared, rank: 1 }));

/** The names of C functions; those that are the model's own affair come last. */
export function functionNames(at: At, docs: 'c' | 'call'): Completion[] {
  return [...at.around.functions()].map((name) => ({
    label: name,
    kind: 'function',
    doc: `c:${name}`,
    rank: name.startsWith('__') || name.startsWith('scenario_') ? 3 : 2,
    ...(docs === 'call'
      ? { snippet: `${name}($1)`, insert: name, goesOn: true as const }
      : { insert: `${name} returns 0` }),
  }));
}

// ---------------------------------------------------------------- texts

const EXTENSIONS = {
  patch: /\.(?:patch|diff|mbox|mbx|eml|txt|mbox\.txt)$/i,
  source: /\.[ch]$/i,
  import: /\.snpscenario$/i,
} as const;

/** Only the last part of a path is replaced. */
function replacedInText({ text, from, to }: NonNullable<Cursor['string']>): { from: number; to: number } {
  return { from: from + text.lastIndexOf('/') + 1, to };
}

function completeText(at: At, of: 'kernel' | 'patch' | 'source' | 'import'): Completion[] {
  const { string } = at.cursor;
  const quote = (text: string): string => (string === undefined ? `"${text}"` : text);
  const behindColon = string?.text.startsWith('snp:') === true && !string.text.includes('/');
  const listed: Completion[] = [];
  if (of === 'kernel') {
    for (const { name, description } of kernelModels)
      listed.push({
        label: name,
        kind: 'kernel',
        detail: description,
        doc: `kernel:${name}`,
        insert: quote(name),
        rank: 0,
      });
    return listed;
  }
  const folder = string === undefined ? '' : string.text.slice(0, string.text.lastIndexOf('/') + 1);
  if (of === 'import' && folder === '') {
    for (const name of libraryNames)
      listed.push({ label: name, kind: 'library', doc: `library:${name}`, insert: quote(name), rank: 0 });
  }
  if (behindColon) return listed;
  const own = at.analysis.path.slice(at.analysis.path.lastIndexOf('/') + 1);
  for (const { name, isFolder } of at.around.list(folder)) {
    if (name.startsWith('.') || /["\\\r\n]/.test(name)) continue;
    if (isFolder) {
      if (name !== 'node_modules')
        listed.push({ label: `${name}/`, kind: 'folder', insert: quote(`${name}/`), rank: 2, goesOn: true });
    } else if (EXTENSIONS[of].test(name) && !(of === 'import' && folder === '' && name === decode(own)))
      listed.push({ label: name, kind: 'file', insert: quote(name), rank: 1 });
  }
  return listed;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const isActorWord = (name: string): boolean => (ACTORS as readonly string[]).includes(name);

/** The first of each label. */
function distinct(list: readonly Completion[]): Completion[] {
  const seen = new Set<string>();
  return list.filter(({ label }) => !seen.has(label) && seen.add(label));
}
