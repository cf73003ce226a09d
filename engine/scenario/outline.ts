/**
 * Which scenarios a text holds, without analysing it: what a list of all scenarios of a workspace is made from. It is the parser's own idea of a
 * scenario, so the list and the check of the same text agree.
 */
import type { TreeCursor } from '@lezer/common';
import * as t from '../generated/scenario-parser-terms.ts';
import { parse } from './parse.ts';
import { docAbove, stringValue } from './syntax.ts';

export interface ScenarioOutline {
  /** Empty where it has none. */
  name: string;
  /** Its `///` lines. */
  doc: string;
  /** Offsets in the text. */
  start: number;
  end: number;
}

/** In the order of the text. Never throws. */
export function outlineScenarios(text: string): ScenarioOutline[] {
  const scenarios: ScenarioOutline[] = [];
  const cursor = parse(text).tree.cursor();
  if (!cursor.firstChild()) return scenarios;
  do {
    if (cursor.type.id !== t.ScenarioDeclaration) continue;
    const { from, to } = cursor;
    scenarios.push({ name: nameOf(text, cursor), doc: docAbove(text, from), start: from, end: to });
  } while (cursor.nextSibling());
  return scenarios;
}

/** @param cursor on the scenario; it is there again afterwards */
function nameOf(text: string, cursor: TreeCursor): string {
  if (!cursor.firstChild()) return '';
  let name = '';
  do {
    const { id } = cursor.type;
    if (id !== t.String && id !== t.Name) continue;
    const source = text.slice(cursor.from, cursor.to);
    name = stringValue(source) ?? (id === t.Name ? source : (stringValue(`${source}"`) ?? ''));
    break;
  } while (cursor.nextSibling());
  cursor.parent();
  return name;
}

/**
 * What tells the scenarios of one file apart, in their order: their names, with a number behind one that another had before. Names should be unique
 * (DUPLICATE), but while somebody types they are not.
 */
export function scenarioIds(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let id = name;
    for (let n = 2; taken.has(id); n++) id = `${name} (${n})`;
    taken.add(id);
    return id;
  });
}
