// `completions`: what can go on at the cursor of the console. Members in C, fields and words of a query, and names.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { findMember } from '../../../engine/c/layout.ts';
import { isRecord } from '../../../engine/c/types.ts';
import { evaluateC } from '../../../engine/debug/c-expression.ts';
import { localsOf, peek } from '../../../engine/debug/c-values.ts';
import type { Frame } from '../../../engine/debug/frames.ts';
import { variablesOf } from '../../../engine/debug/scenario-variables.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { queriesNamed, queryNames } from '../../../engine/scenario/queries.ts';
import type { FrameView } from '../../../engine/vm/unwind.ts';

interface Candidate {
  label: string;
  type: DebugProtocol.CompletionItemType;
  /** What is put in, if it is not the label. */
  text?: string;
}

/** @param line the text up to the cursor */
export function completions(
  session: DebugSession,
  frame: Frame | undefined,
  line: string,
): DebugProtocol.CompletionItem[] {
  const prefix = /\w*$/.exec(line)?.[0] ?? '';
  const before = line.slice(0, line.length - prefix.length);
  return candidates(session, frame, before)
    .filter(({ label }, i, all) => label.startsWith(prefix) && all.findIndex((one) => one.label === label) === i)
    .map((candidate) => ({ ...candidate, start: before.length, length: prefix.length }));
}

function candidates(session: DebugSession, frame: Frame | undefined, before: string): Candidate[] {
  const view = frame?.kind === 'c' ? frame.view : undefined;
  const field = /([a-z_]+\s*\([^()]*(?:\([^()]*\)[^()]*)*\))\s*\.$/.exec(before);
  if (field !== null) return fieldsOf(session, frame, field[1]);
  const member = /([A-Za-z_][\w.[\]]*(?:->[\w.[\]]+)*)(?:->|\.)$/.exec(before);
  if (member !== null) return view === undefined ? [] : membersOf(session, view, member[1]);
  const word = /\b([a-z_]+)\s*\(.*\)\s+is\s+(?:not\s+)?$/.exec(before);
  if (word !== null) return wordsOf(word[1]);
  return [
    ...(view === undefined ? [] : localsOf(session.machine, view)).map(({ name }) => variable(name)),
    ...variablesOf(session).map(({ name }) => variable(name)),
    ...session.machine.guests.map(({ name }): Candidate => ({ label: name, type: 'value' })),
    ...queryNames.filter((name) => name !== 'log').map(called),
    called('pfn'),
  ];
}

const variable = (label: string): Candidate => ({ label, type: 'variable' });
const called = (label: string): Candidate => ({ label, type: 'function', text: `${label}(` });

function fieldsOf(session: DebugSession, frame: Frame | undefined, query: string): Candidate[] {
  const found = peek(session.machine, () =>
    frame?.kind === 'scenario'
      ? session.evaluate(query, undefined, frame.instruction)
      : session.evaluate(query, frame?.view),
  );
  return 'fields' in found ? Object.keys(found.fields).map((label) => ({ label, type: 'field' })) : [];
}

function wordsOf(query: string): Candidate[] {
  if (!queryNames.includes(query)) return [];
  return queriesNamed(query).flatMap(({ fields, words }) => {
    const flags = fields.filter(({ kind }) => kind === 'bool').map(({ name }) => name);
    const named = fields.flatMap((field) => field.words ?? []);
    return [...flags, ...Object.keys(words), ...named].map((label): Candidate => ({ label, type: 'value' }));
  });
}

function membersOf({ machine }: DebugSession, view: FrameView, of: string): Candidate[] {
  return peek(machine, () => {
    const found = evaluateC(machine, view, of);
    if ('error' in found) return [];
    const { type } = found.value;
    const record = machine.program.completed(type.kind === 'pointer' ? type.to : type);
    if (!isRecord(record)) return [];
    return record.members.flatMap(({ name }): Candidate[] =>
      name !== '' && findMember(record, name) !== undefined ? [{ label: name, type: 'field' }] : [],
    );
  });
}
