/**
 * What a step came to, and whether that is what the scenario expects.
 *
 * One outcome can have several faces: a guest read that KVM cannot resolve faulted with #NPF(RMP|ENC), made KVM exit to the VMM, and never
 * completed. A pattern matches if any face of the outcome matches it, so a scenario may state the one it is about.
 */

import { errnoName } from '../base/errno.ts';
import type { OutcomePattern } from '../scenario/program.ts';

export interface Fault {
  /** `#NPF`, `#PF`, `#VC`, `#GP`, `#UD`. */
  name: string;
  /** Names of the error-code bits that are set, in the order of the manual; for #VC the exit code as hex text. */
  bits: string[];
}

export interface Outcome {
  /** Whether it is success for a step that states no outcome. */
  ok: boolean;
  /** Return code by name, e.g. `FAIL_OVERLAP`. */
  code?: string;
  /** CF as PVALIDATE leaves it, when the instruction completed. */
  cf?: 0 | 1;
  /** Negative errno as a positive number: -EPERM is 1. */
  errno?: number;
  fault?: Fault;
  /** KVM exit reason, e.g. `KVM_EXIT_MEMORY_FAULT`. */
  exit?: string;
  /** The guest can never get past this access: the same state keeps recurring. */
  livelock?: boolean;
  /** Simulated C stopped: why. */
  trap?: string;
  /** Result of a C function called by name, or of an instruction that yields a number. */
  value?: number | bigint;
}

export const OK: Outcome = { ok: true };

/** The bits that tell RMP faults apart; when a pattern names bits, these must match exactly. */
const RMP_BITS = new Set(['RMP', 'ENC', 'SIZEM', 'VMPL', 'SSS']);

export function formatFault(fault: Fault): string {
  return fault.bits.length === 0 ? fault.name : `${fault.name}(${fault.bits.join('|')})`;
}

/** The outcome as the user would write it after `=>`; with `asValue`, the number that a success gave. */
export function formatOutcome(outcome: Outcome, asValue = false): string {
  if (outcome.trap !== undefined) return 'trap';
  if (outcome.livelock) return 'livelock';
  if (outcome.exit !== undefined) return outcome.exit;
  if (outcome.fault !== undefined) return formatFault(relevantBits(outcome.fault));
  if (outcome.code !== undefined) return outcome.code;
  if (outcome.errno !== undefined) return errnoName(outcome.errno);
  if (outcome.cf === 1) return 'CF=1';
  if (outcome.value !== undefined && (asValue || !outcome.ok)) return formatValue(outcome.value);
  return 'ok';
}

/** All that is known of it, for messages: `livelock, KVM_EXIT…, #NPF(RMP|ENC)`. */
export function describeOutcome(outcome: Outcome): string {
  const parts: string[] = [];
  if (outcome.trap !== undefined) parts.push(outcome.trap);
  if (outcome.livelock) parts.push('livelock');
  if (outcome.exit !== undefined) parts.push(outcome.exit);
  if (outcome.fault !== undefined) parts.push(formatFault(outcome.fault));
  if (outcome.code !== undefined) parts.push(outcome.code);
  if (outcome.errno !== undefined) parts.push(`-${errnoName(outcome.errno)}`);
  if (outcome.cf === 1) parts.push('CF=1 (no change)');
  if (outcome.value !== undefined) parts.push(`value ${formatValue(outcome.value)}`);
  return parts.length === 0 ? 'ok' : parts.join(', ');
}

function formatValue(value: number | bigint): string {
  return value > 9 ? `0x${value.toString(16)}` : String(value);
}

function relevantBits(fault: Fault): Fault {
  const bits = fault.bits.filter((bit) => RMP_BITS.has(bit));
  return bits.length > 0 ? { name: fault.name, bits } : fault;
}

/** Whether the outcome is what the step states; without a pattern, success. */
export function matches(pattern: OutcomePattern | undefined, outcome: Outcome): boolean {
  if (pattern === undefined) return outcome.ok;
  switch (pattern.form) {
    case 'any':
      return outcome.trap === undefined;
    case 'ok':
      return outcome.ok;
    case 'fails':
      return !outcome.ok && outcome.trap === undefined;
    case 'code':
      return outcome.code === pattern.name;
    case 'errno':
      return outcome.errno !== undefined && errnoName(outcome.errno) === pattern.name;
    case 'cf':
      return outcome.cf === pattern.value;
    case 'value':
      return outcome.value !== undefined && BigInt(outcome.value) === BigInt(pattern.value ?? 0);
    case 'exit':
      return outcome.exit === pattern.name;
    case 'livelock':
      return outcome.livelock === true;
    case 'trap':
      return outcome.trap !== undefined;
    case 'fault':
      return outcome.fault !== undefined && faultMatches(pattern, outcome.fault);
  }
}

function faultMatches(pattern: OutcomePattern, fault: Fault): boolean {
  if (pattern.name !== fault.name) return false;
  const wanted = pattern.bits;
  if (wanted === undefined) return true;
  // #VC carries a number; the others bits. Page-fault bits (P, W, U, I) only count once a pattern names one of them.
  const exact = fault.name === '#VC' || wanted.some((bit) => !RMP_BITS.has(bit));
  const have = exact ? fault.bits : fault.bits.filter((bit) => RMP_BITS.has(bit));
  return have.length === wanted.length && wanted.every((bit) => have.includes(bit));
}
