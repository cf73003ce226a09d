// `disassemble`: the scenario's program and the bytecode of C, as many instructions as were asked for.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../../engine/base/text.ts';
import type { Disassembly } from '../../../engine/debug/disassembly.ts';
import type { Client } from './client.ts';
import { type Args, count, RequestError, text } from './requests.ts';

/** Instructions listed at once. */
const MOST = 10_000;

/** What stands in for an instruction that does not exist: clients know this address, and leave it out. */
const NOTHING: DebugProtocol.DisassembledInstruction = {
  address: '-1',
  instruction: '',
  presentationHint: 'invalid',
};

export function disassemble(
  disassembly: Disassembly,
  args: Args,
  client: Client,
): DebugProtocol.DisassembleResponse['body'] {
  const address = codeAddress(text(args, 'memoryReference'), count(args, 'offset', 0));
  const instructions = count(args, 'instructionCount');
  if (!Number.isInteger(instructions) || instructions < 0 || instructions > MOST)
    throw new RequestError(`The argument instructionCount must be a whole number from 0 to ${MOST}.`);
  const offset = count(args, 'instructionOffset', 0);
  if (!Number.isSafeInteger(offset)) throw new RequestError('The argument instructionOffset must be a whole number.');
  const rows = address === undefined ? undefined : disassembly.list(address, offset, instructions);
  if (rows === undefined) return { instructions: Array.from({ length: instructions }, () => NOTHING) };
  return {
    instructions: rows.map((row): DebugProtocol.DisassembledInstruction => {
      if (row === undefined) return NOTHING;
      const { location } = row;
      const { start, end } = location?.range ?? {};
      return {
        address: hex(row.address),
        instruction: row.text,
        symbol: row.symbol,
        ...(row.bytes === undefined ? {} : { instructionBytes: row.bytes }),
        ...(location === undefined || location.path === '' ? {} : { location: client.sources.toClient(location.path) }),
        ...client.place({
          ...(start === undefined ? {} : { line: start.line, column: start.character }),
          ...(end === undefined ? {} : { endLine: end.line, endColumn: end.character }),
        }),
      };
    }),
  };
}

/** The address that a reference and an offset in bytes give; undefined for what is no address at all. */
export function codeAddress(reference: string, offset: number): number | undefined {
  if (!/^(?:0x[0-9a-f]+|\d+)$/i.test(reference)) return undefined;
  const address = Number(reference) + offset;
  return Number.isSafeInteger(address) ? address : undefined;
}
