/**
 * A machine with a bundled kernel model in it, for tests: hardware, kernel objects, and the model's C in the VM, called by function name. The
 * sources are read from the tree, so a test sees what is there and not what was generated last.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../../engine/base/journal.ts';
import { asPfn } from '../../../engine/base/units.ts';
import { createCProgram } from '../../../engine/c/c-program.ts';
import type { CProgram, CProgramInput, CSource } from '../../../engine/c/program.ts';
import { Hardware } from '../../../engine/hardware/machine.ts';
import type { HardwareOptions } from '../../../engine/hardware/options.ts';
import { type KernelConfig, KernelState } from '../../../engine/kernel/kernel-state.ts';
import { kernelNatives } from '../../../engine/kernel/natives.ts';
import { EventKind, Trace } from '../../../engine/trace/trace.ts';
import { NoteKind } from '../../../engine/vm/bytecode.ts';
import type { Thread } from '../../../engine/vm/thread.ts';
import { createVm } from '../../../engine/vm/vm.ts';

const MODELS = join(import.meta.dirname, '../../../engine/models');

export const PRIVATE = 8;
export const SHARED = 0;
export const PAGE = 4096;
export const ENC = 2 ** 34;
export const RMP = 2 ** 31;
export const SIZEM = 2 ** 35;

export interface ModelOptions {
  memoryBytes?: number;
  cpus?: number;
  hardware?: Partial<HardwareOptions>;
  kernel?: Partial<KernelConfig>;
  overrides?: CProgramInput['overrides'];
  loopBudget?: number;
}

const sources = new Map<string, { model: CSource[]; headers: Map<string, CSource> }>();

function readModel(name: string) {
  let read = sources.get(name);
  if (read === undefined) {
    const headers = new Map<string, CSource>();
    for (const folder of [join(MODELS, 'include'), join(MODELS, name, 'include')]) {
      for (const path of readdirSync(folder, { recursive: true }) as string[]) {
        if (path.endsWith('.h')) headers.set(path, { path, text: readFileSync(join(folder, path), 'utf8') });
      }
    }
    const model = readdirSync(join(MODELS, name))
      .filter((file) => file.endsWith('.c'))
      .sort()
      .map((file) => ({ path: `${name}/${file}`, text: readFileSync(join(MODELS, name, file), 'utf8') }));
    read = { model, headers };
    sources.set(name, read);
  }
  return read;
}

/** Compiled programs by model and overrides: most tests use the same. */
const programs = new Map<string, CProgram>();

export class ModelMachine {
  readonly journal = new Journal();
  readonly trace = new Trace();
  readonly hardware: Hardware;
  readonly kernel: KernelState;
  readonly program: CProgram;
  readonly vm;
  private readonly thread: Thread;
  private files = 0;

  constructor(name: string, options: ModelOptions = {}) {
    const { memoryBytes = 4 * 2 ** 30, cpus = 4 } = options;
    this.hardware = new Hardware({ memoryBytes, cpus, options: options.hardware ?? {} }, this.journal, this.trace);
    this.kernel = new KernelState({ memoryBytes, cpus, ...options.kernel }, this.hardware, this.journal, this.trace);
    const natives = kernelNatives(this.kernel);
    const key = JSON.stringify([name, options.overrides]);
    let program = programs.get(key);
    if (program === undefined) {
      const overrides = options.overrides ?? [];
      program = createCProgram({
        ...readModel(name),
        overrides,
        stubs: [],
        natives,
        progressTypes: ['gfn_t', 'kvm_pfn_t'],
      });
      programs.set(key, program);
    }
    this.program = program;
    this.vm = createVm({
      program,
      natives,
      journal: this.journal,
      trace: this.trace,
      observer: { note: (kind, value, other) => this.note(kind, value, other) },
      ...(options.loopBudget === undefined ? {} : { loopBudget: options.loopBudget }),
    });
    this.trace.locate = this.vm.locate;
    this.thread = this.vm.createThread();
  }

  private note(kind: number, value: number, other: number): void {
    if (kind === NoteKind.Progress) this.trace.record(EventKind.Progress, 0, -1, 0, value - other, value, -1);
    if (kind === NoteKind.MustPropagate && value !== 0)
      this.trace.record(EventKind.FailedResult, 0, -1, value, 0, 0, -1);
  }

  /** Call a C function and run it to its end. A trap is an error that says where. */
  call(name: string, ...args: (number | bigint)[]): number | bigint {
    const callee = this.program.find(name);
    if (callee === undefined) throw new Error(`no function ${name}`);
    this.vm.start(this.thread, callee.index, args);
    const result = this.vm.run(this.thread, { instructions: Number.MAX_SAFE_INTEGER });
    if (result !== 'done') {
      const trap = this.thread.trap;
      const at = trap === undefined ? '' : ` in ${this.program.functionName(trap.function)}`;
      throw new Error(`${trap?.message}${at}`);
    }
    return this.thread.result();
  }

  /** A VM with one private slot of `pages` pages at `baseGfn`, backed by folios of `order` from `pfn` on. */
  guest(slot: {
    asid?: number;
    baseGfn?: number;
    pages: number;
    order?: number;
    pfn?: number;
    index?: number;
    snp?: boolean;
  }) {
    const { asid = 1, baseGfn = 0, pages, order = 0, pfn = 0x40000, index = 0, snp = true } = slot;
    const kvm = Number(this.call('scenario_create_vm', asid, snp ? 1 : 0));
    const vcpu = Number(this.call('scenario_create_vcpu', kvm, 0));
    const file = this.files++;
    const length = Math.ceil((index + pages) / 2 ** order) * 2 ** order;
    const problem = this.kernel.restricted.createFile({
      id: file,
      extents: [{ index: 0, pages: length, pfn: asPfn(pfn), order }],
    });
    if (problem !== undefined) throw new Error(problem);
    const added = this.call('scenario_add_slot', kvm, 0, baseGfn, pages, 1, file, index, 0x80000);
    if (added !== 0) throw new Error(`slot: ${added}`);
    return { asid, kvm, vcpu, file, pfn };
  }

  /** One page's RMP entry in words: `shared`, `4K gfn 0x10 asid 1 validated`; what its own 2M head says where that is a 2M entry. */
  entry(pfn: number): string {
    const { rmp } = this.hardware;
    if (!rmp.isAssigned(pfn)) return 'shared';
    const entry = rmp.resolve(asPfn(pfn));
    const words = [rmp.isLarge(pfn) ? '2M' : '4K', `gfn 0x${rmp.boundGfn(pfn).toString(16)}`, `asid ${entry.asid}`];
    if (entry.immutable) words.push('immutable');
    if (entry.validated) words.push('validated');
    return words.join(' ');
  }

  /** How many pages of a range are assigned. */
  assigned(pfn: number, pages: number): number {
    let n = 0;
    for (let i = 0; i < pages; i++) if (this.hardware.rmp.isAssigned(pfn + i)) n++;
    return n;
  }

  log(): string[] {
    return this.kernel.log.lines.map((line) => line.text);
  }

  /** Trace events of one kind from an index on. */
  events(kind: number, from = 0): number[] {
    const found: number[] = [];
    for (let i = from; i < this.trace.length; i++) if (this.trace.kind[i] === kind) found.push(i);
    return found;
  }
}
