/**
 * Options of the host that a debugging session sets in place of the scenario file's own `option NAME = VALUE`: the points that the manuals leave open
 * (`engine/hardware/options.ts`) and what a kernel model is to do (`engine/kernel/kernel-options.ts`). Names and values are those of the language.
 */
import { type HardwareOptionValue, hardwareOptionTable } from '../hardware/options.ts';
import { kernelOptionTable } from '../kernel/kernel-options.ts';
import { suggestion } from '../scenario/context.ts';

export type LaunchOptions = readonly { name: string; value: HardwareOptionValue }[];

/** The largest status of a kernel option, as in the language. */
const MOST_STATUS = 0xffff;

/** What a row takes, as it may be written in JSON; `on` and `off` are true and false. */
export interface LaunchOptionRow {
  name: string;
  doc: string;
  /** The values, default first; undefined for a number from 0 to {@link MOST_STATUS}. */
  values: readonly HardwareOptionValue[] | undefined;
  default: HardwareOptionValue;
}

export const launchOptionRows: readonly LaunchOptionRow[] = [
  ...hardwareOptionTable.map(({ name, doc, values, default: usual }) => ({ name, doc, values, default: usual })),
  ...kernelOptionTable.map(({ name, doc, kind, default: usual }) =>
    kind === 'flag'
      ? { name, doc, values: [true, false], default: usual !== 0 }
      : { name, doc, values: undefined, default: usual },
  ),
];

/** The options that an object of names and values sets, or what is wrong with it, one line for each. */
export function launchOptions(given: Readonly<Record<string, unknown>>): LaunchOptions | { error: string } {
  const options: { name: string; value: HardwareOptionValue }[] = [];
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    const row = launchOptionRows.find((one) => one.name === name);
    if (row === undefined) {
      const names = launchOptionRows.map((one) => one.name);
      wrong.push(`There is no option \`${name}\`.${suggestion(name, names, 'Options').text}`);
      continue;
    }
    const meant = meaningOf(row, value);
    if (meant === undefined) wrong.push(`\`${name}\` is ${choices(row)}. ${row.doc}`);
    else options.push({ name, value: meant });
  }
  return wrong.length === 0 ? options : { error: wrong.join('\n') };
}

function meaningOf(row: LaunchOptionRow, value: unknown): HardwareOptionValue | undefined {
  const isSwitch = row.values?.includes(true) === true;
  const meant = isSwitch && (value === 'on' || value === 'off') ? value === 'on' : value;
  if (row.values !== undefined) return row.values.find((one) => one === meant);
  return typeof meant === 'number' && Number.isInteger(meant) && meant >= 0 && meant <= MOST_STATUS ? meant : undefined;
}

function choices({ values }: LaunchOptionRow): string {
  if (values === undefined) return `a number from 0 to ${MOST_STATUS}`;
  const words = values.map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)));
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
