// `snp-scenario decode`: raw RMP entries and log lines about them, field by field. Lines are arguments or come from stdin, as from `dmesg`; what is
// no such line passes through unseen.

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { decodedBlocks } from '../../../engine/assist/decoded-blocks.ts';
import { type Decoded, decodeText } from '../../../engine/assist/log-line.ts';
import { toPlain } from '../../../engine/assist/prose.ts';
import { clean } from './text-report.ts';

export interface DecodeOptions {
  format: 'text' | 'json';
  /** One line for each entry instead of its fields. */
  short: boolean;
  write: (text: string) => void;
}

/** The exit code: 0 if anything was recognised, 1 if nothing was. */
export async function decode(words: readonly string[], input: Readable, options: DecodeOptions): Promise<number> {
  const lines = words.length > 0 ? [joined(words)] : createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const all: object[] = [];
  let count = 0;
  for await (const line of lines) {
    for (const decoded of decodeText(line)) {
      if (options.format === 'json') all.push(asJson(line, decoded));
      else options.write(asText(line, decoded, options.short, count > 0));
      count++;
    }
  }
  if (options.format === 'json') options.write(`${JSON.stringify(all, null, 2)}\n`);
  return count > 0 ? 0 : 1;
}

/** A shell splits an unquoted entry into words, and may have eaten nothing else. Several quoted lines are lines. */
const joined = (words: readonly string[]): string =>
  words.some((word) => /[\s]/.test(word)) ? words.join('\n') : words.join(' ');

function asText(line: string, decoded: Decoded, short: boolean, follows: boolean): string {
  const said = clean(line.slice(decoded.start, decoded.end));
  if (short) return `${said}\n  ${clean(decoded.summary)}\n`;
  return `${follows ? '\n' : ''}${said}\n\n${indented(clean(toPlain(decodedBlocks(decoded))))}\n`;
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

function asJson(line: string, { start, end, summary, rows, note, source }: Decoded): object {
  return { text: line.slice(start, end), summary, fields: rows, note, source };
}
