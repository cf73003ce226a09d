/** Completion behind `=>`: what the operation can come to, first what it did come to. */
import { operation } from '../scenario/operations.ts';
import { ERRNOS, EXITS, FAULT_BITS, FAULTS, FIRMWARE_CODES, PLAIN_OUTCOMES, RETURN_CODES } from '../scenario/words.ts';
import type { At } from './complete.ts';
import type { Completion } from './completion.ts';
import type { Expected } from './expected.ts';

export function completeOutcomes(at: At, expected: Extract<Expected, { is: 'outcome' | 'fault-bits' }>): Completion[] {
  if (expected.is === 'fault-bits') {
    if (expected.fault === '#VC') return [{ label: '0x404', kind: 'value', detail: 'PAGE_NOT_VALIDATED', rank: 0 }];
    return FAULT_BITS.filter(({ name }) => !expected.given.includes(name)).map(({ name, bit }) => ({
      label: name,
      kind: 'word',
      detail: `bit ${bit}`,
      rank: bit >= 31 ? 0 : 1,
    }));
  }
  const spec = expected.operation === undefined ? undefined : operation(expected.operation);
  const unit = at.analysis.program.scenarios.find((one) => expected.from >= one.start && expected.from <= one.end);
  const happened = unit === undefined ? undefined : at.around.happened(unit, expected.from);
  const listed: Completion[] = [];
  // Right behind the arrow.
  const space = at.analysis.text[at.cursor.word.from - 1] === '>' ? ' ' : '';
  const add = (label: string, rank: number): void => {
    listed.push({ label, kind: 'outcome', doc: `outcome:${label}`, rank });
  };
  if (happened !== undefined)
    listed.push({
      label: happened,
      kind: 'outcome',
      detail: 'what happens',
      doc: `outcome:${happened}`,
      rank: 0,
      preselect: true,
    });
  for (const outcome of spec?.outcomes ?? ['ok']) add(outcome, 1);
  for (const { name } of PLAIN_OUTCOMES) add(name, 2);
  if (spec === undefined || spec.variadic) for (const errno of ERRNOS) add(errno, 4);
  // What the table leaves out is still of the language: what a patch of the user's may do.
  const kind = spec?.actor;
  if (kind === 'guest' || kind === 'cpu' || kind === undefined) for (const code of RETURN_CODES) add(code, 5);
  if (kind === 'guest' || kind === undefined) for (const exit of EXITS) add(exit, 6);
  if (kind === 'vmm' || kind === 'host') for (const errno of ERRNOS) add(errno, 6);
  if (kind === 'fw') for (const code of FIRMWARE_CODES) add(code, 6);
  if (kind !== 'fw') for (const fault of FAULTS.slice(0, 5)) add(fault, 7);
  return space === '' ? listed : listed.map((one) => ({ ...one, insert: ` ${one.label}` }));
}
