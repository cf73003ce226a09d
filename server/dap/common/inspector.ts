// What a stopped session shows: stack, scopes, variables, values of expressions, memory. Numbers of frames and variables hold until the session
// moves.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../../engine/base/text.ts';
import { findMember } from '../../../engine/c/layout.ts';
import { isRecord, renderType } from '../../../engine/c/types.ts';
import { evaluateC } from '../../../engine/debug/c-expression.ts';
import { expands, formatC, localsOf, peek } from '../../../engine/debug/c-values.ts';
import { parseWatched, type Watched, watchedId } from '../../../engine/debug/data-watch.ts';
import { pageAtHand } from '../../../engine/debug/page-at-hand.ts';
import { formatField, formatValue } from '../../../engine/debug/scenario-expression.ts';
import type { DebugSession, Frame } from '../../../engine/debug/session.ts';
import { queryNames } from '../../../engine/scenario/queries.ts';
import { guestContainer, hostContainer, pageContainer, rmpReference } from './page-rows.ts';
import { type Args, count, flag, isObject, RequestError, text } from './requests.ts';
import { type Container, cContainer, cRow, fixed, type Row, setC } from './rows.ts';
import type { Sources } from './sources.ts';

/** Children given at once to a client that does not ask for pages. */
const ALL = 1_000_000;
/** Bytes of an RMP entry. */
const ENTRY = 16;
/** Bytes read at once. */
const MOST_BYTES = 1 << 20;

export class Inspector {
  readonly #session: DebugSession;
  readonly #sources: Sources;
  #frames: Frame[] | undefined;
  #containers: Container[] = [];

  constructor(session: DebugSession, sources: Sources) {
    this.#session = session;
    this.#sources = sources;
  }

  /** The session has moved. */
  forget(): void {
    this.#frames = undefined;
    this.#containers = [];
  }

  frames(): Frame[] {
    this.#frames ??= this.#session.frames();
    return this.#frames;
  }

  /** The actors: the host, then each vCPU. */
  threads(): DebugProtocol.Thread[] {
    return this.#session.actors().map((name, i) => ({ id: i + 1, name }));
  }

  /** @returns undefined for no frame at all: the session is looked at as a whole. */
  frame(args: Args): Frame | undefined {
    if (args.frameId === undefined || args.frameId === null) return this.frames()[0];
    const frame = this.frames()[count(args, 'frameId') - 1];
    if (frame === undefined) throw new RequestError('There is no such frame now.');
    return frame;
  }

  // ---------------------------------------------------------------- stack and scopes

  /** Lines and columns counted from 0. */
  stackTrace(args: Args): { stackFrames: DebugProtocol.StackFrame[]; totalFrames: number } {
    const all = this.frames();
    const start = count(args, 'startFrame', 0);
    const levels = count(args, 'levels', 0) || all.length;
    const stackFrames = all.slice(start, start + levels).map((frame, i): DebugProtocol.StackFrame => {
      const { location } = frame;
      const source = location === undefined || location.path === '' ? undefined : this.#sources.toClient(location.path);
      const range = location?.range;
      return {
        id: start + i + 1,
        name: frame.name,
        line: range?.start.line ?? 0,
        column: range?.start.character ?? 0,
        ...(source === undefined ? {} : { source }),
        ...(range === undefined ? {} : { endLine: range.end.line, endColumn: range.end.character }),
        ...(frame.kind === 'c' ? { canRestart: true } : {}),
      };
    });
    return { stackFrames, totalFrames: all.length };
  }

  scopes(args: Args): DebugProtocol.Scope[] {
    const session = this.#session;
    const frame = this.frame(args);
    const scopes: DebugProtocol.Scope[] = [];
    const add = (name: string, inside: Container, hint?: string, expensive = false): void => {
      scopes.push({
        name,
        variablesReference: this.#reference(inside),
        expensive,
        ...(hint === undefined ? {} : { presentationHint: hint }),
      });
    };
    if (frame?.kind === 'c') {
      const own = (parameter: boolean): Container =>
        fixed((asHex) =>
          localsOf(session.machine, frame.view)
            .filter((local) => local.parameter === parameter)
            .map((local) => cRow(session, local, frame.view, local.name, asHex)),
        );
      add('Locals', own(false), 'locals');
      add('Arguments', own(true), 'arguments');
    } else if (session.unit.variableNames.length > 0) add('Variables', this.#variables(), 'locals');
    add(
      'Page',
      pageContainer(
        session,
        peek(session.machine, () => pageAtHand(session.run, frame?.kind === 'c' ? frame.view : undefined)),
      ),
    );
    for (const [index, guest] of session.machine.guests.entries())
      add(`Guest ${guest.name}`, guestContainer(session, index));
    add('Host', hostContainer(session), undefined, true);
    return scopes;
  }

  #variables(): Container {
    const { run, unit, machine } = this.#session;
    return fixed(() =>
      unit.variableNames.flatMap((name, slot): Row[] => {
        const value = run.values[slot];
        return value === undefined
          ? []
          : [{ name, value: formatValue(value, machine.guests), type: value.kind, evaluateName: name }];
      }),
    );
  }

  #reference(inside: Container | undefined): number {
    return inside === undefined ? 0 : this.#containers.push(inside);
  }

  // ---------------------------------------------------------------- variables

  variables(args: Args): DebugProtocol.Variable[] {
    const inside = this.#container(args);
    const filter = args.filter;
    if (filter === 'named' && inside.indexed !== undefined) return [];
    if (filter === 'indexed' && inside.indexed === undefined) return [];
    const start = count(args, 'start', 0);
    const rows = this.#rows(inside, start, count(args, 'count', 0) || ALL, asHex(args));
    return rows.map((row) => this.#variable(row));
  }

  #container(args: Args): Container {
    const inside = this.#containers[count(args, 'variablesReference') - 1];
    if (inside === undefined) throw new RequestError('There are no such variables now.');
    return inside;
  }

  #rows(inside: Container, start: number, n: number, hexadecimal: boolean): Row[] {
    return peek(this.#session.machine, () => inside.rows(start, n, hexadecimal));
  }

  #variable(row: Row): DebugProtocol.Variable {
    const { inside } = row;
    return {
      name: row.name,
      value: row.value,
      ...(row.type === undefined ? {} : { type: row.type }),
      variablesReference: this.#reference(inside),
      ...(inside?.indexed === undefined ? {} : { indexedVariables: inside.indexed }),
      ...(row.evaluateName === undefined ? {} : { evaluateName: row.evaluateName }),
      ...(row.memoryReference === undefined ? {} : { memoryReference: row.memoryReference }),
      ...(row.set === undefined ? { presentationHint: { attributes: ['readOnly'] } } : {}),
    };
  }

  #row(args: Args): Row {
    const name = text(args, 'name');
    const row = this.#rows(this.#container(args), 0, ALL, asHex(args)).find((one) => one.name === name);
    if (row === undefined) throw new RequestError(`There is no ${name} here.`);
    return row;
  }

  setVariable(args: Args): DebugProtocol.SetVariableResponse['body'] {
    const row = this.#row(args);
    if (row.set === undefined) throw new RequestError(`${row.name} cannot be set.`);
    const wrong = row.set(text(args, 'value'));
    if (wrong !== undefined) throw new RequestError(wrong);
    const { name: _, evaluateName: __, presentationHint: ___, ...rest } = this.#variable(this.#row(args));
    return rest;
  }

  // ---------------------------------------------------------------- expressions

  evaluate(args: Args): DebugProtocol.EvaluateResponse['body'] {
    const session = this.#session;
    const expression = text(args, 'expression').trim();
    const frame = this.frame(args);
    return peek(session.machine, () => {
      const c = frame?.kind === 'c' ? this.#evaluateC(frame, expression, asHex(args)) : undefined;
      if (c !== undefined && !('error' in c)) return c;
      const result = session.expressions.evaluate(
        session.run,
        expression,
        frame?.kind === 'scenario' ? frame.instruction : session.run.position,
      );
      if ('error' in result) {
        const constant = c ?? this.#evaluateC(undefined, expression, asHex(args));
        if (!('error' in constant)) return constant;
        // The language that the frame speaks has the word.
        throw new RequestError(c === undefined || /^(?:expect|all|let)\b|\(/.test(expression) ? result.error : c.error);
      }
      if ('fields' in result && Object.keys(result.fields).length > 1) {
        const { fields } = result;
        const inside = fixed(() =>
          Object.entries(fields).map(([name, value]) => ({
            name,
            value: formatField(value),
            evaluateName: `${expression}.${name}`,
          })),
        );
        return {
          result: result.text,
          variablesReference: this.#reference(inside),
          ...this.#memoryOf(expression, frame),
        };
      }
      return { result: result.text, variablesReference: 0, ...('value' in result ? { type: result.value.kind } : {}) };
    });
  }

  #evaluateC(
    frame: Extract<Frame, { kind: 'c' }> | undefined,
    expression: string,
    hexadecimal: boolean,
  ): DebugProtocol.EvaluateResponse['body'] | { error: string } {
    const session = this.#session;
    const found = evaluateC(session.machine, frame?.view, expression);
    if ('error' in found) return found;
    const { value } = found;
    const inside = expands(session.machine, value) ? cContainer(session, value, frame?.view, expression) : undefined;
    return {
      result: formatC(session.machine, value, hexadecimal),
      type: renderType(value.type),
      variablesReference: this.#reference(inside),
      ...(inside?.indexed === undefined ? {} : { indexedVariables: inside.indexed }),
    };
  }

  /** The entry that `rmp(…)` is about, for the memory view. */
  #memoryOf(expression: string, frame: Frame | undefined): { memoryReference?: string } {
    const watched = this.#pages(expression, frame);
    return watched?.kind === 'rmp' ? { memoryReference: rmpReference(watched.start) } : {};
  }

  setExpression(args: Args): DebugProtocol.SetExpressionResponse['body'] {
    const session = this.#session;
    const frame = this.frame(args);
    const view = frame?.kind === 'c' ? frame.view : undefined;
    const target = evaluateC(session.machine, view, text(args, 'expression'));
    if ('error' in target) throw new RequestError(target.error);
    const wrong = setC(session, view, target.value, text(args, 'value'));
    if (wrong !== undefined) throw new RequestError(wrong);
    return { value: formatC(session.machine, target.value, asHex(args)), type: renderType(target.value.type) };
  }

  completions(args: Args): DebugProtocol.CompletionItem[] {
    const session = this.#session;
    const frame = this.frame(args);
    const line = text(args, 'text').slice(0, Math.max(0, count(args, 'column')));
    const view = frame?.kind === 'c' ? frame.view : undefined;
    const member = /([A-Za-z_][\w.>[\]-]*?)(?:->|\.)(\w*)$/.exec(line);
    if (member !== null && view !== undefined) return this.#members(member[1], view, member[2]);
    const prefix = /\w*$/.exec(line)?.[0] ?? '';
    const items: DebugProtocol.CompletionItem[] = [];
    const add = (label: string, type: DebugProtocol.CompletionItemType, insert = label): void => {
      if (label.startsWith(prefix) && !items.some((item) => item.label === label))
        items.push({
          label,
          type,
          ...(insert === label ? {} : { text: insert }),
          start: line.length - prefix.length,
          length: prefix.length,
        });
    };
    if (view !== undefined) for (const { name } of localsOf(session.machine, view)) add(name, 'variable');
    for (const name of session.unit.variableNames) add(name, 'variable');
    for (const guest of session.machine.guests) add(guest.name, 'value');
    for (const query of queryNames) if (query !== 'log') add(query, 'function', `${query}(`);
    add('pfn', 'function', 'pfn(');
    return items;
  }

  #members(of: string, view: Extract<Frame, { kind: 'c' }>['view'], prefix: string): DebugProtocol.CompletionItem[] {
    const { machine } = this.#session;
    return peek(machine, () => {
      const found = evaluateC(machine, view, of);
      if ('error' in found) return [];
      const { type } = found.value;
      const record = machine.program.completed(type.kind === 'pointer' ? type.to : type);
      if (!isRecord(record)) return [];
      return record.members.flatMap(({ name }) =>
        name.startsWith(prefix) && name !== '' && findMember(record, name) !== undefined
          ? [{ label: name, type: 'field' as const }]
          : [],
      );
    });
  }

  // ---------------------------------------------------------------- data breakpoints

  dataBreakpointInfo(args: Args): DebugProtocol.DataBreakpointInfoResponse['body'] {
    const none = (description: string): DebugProtocol.DataBreakpointInfoResponse['body'] => ({
      dataId: null,
      description,
    });
    const watches = (dataId: string, description: string): DebugProtocol.DataBreakpointInfoResponse['body'] => ({
      dataId,
      description,
      accessTypes: ['write'],
      // Pages stay where they are from session to session, variables of C do not.
      canPersist: !dataId.startsWith('c:'),
    });
    const name = text(args, 'name');
    if (typeof args.variablesReference === 'number' && args.variablesReference > 0) {
      const row = this.#row(args);
      return row.dataId === undefined ? none(`${name} cannot be watched.`) : watches(row.dataId, name);
    }
    if (flag(args, 'asAddress')) {
      const watched = bytesOf(name, count(args, 'bytes', 1));
      return watched === undefined
        ? none(`${name} is no address in the RMP, such as rmp:0x40000.`)
        : watches(watchedId(watched), `RMP bytes at ${name}`);
    }
    const frame = this.frame(args);
    const pages = this.#pages(name, frame);
    if (pages !== undefined) return watches(watchedId(pages), name);
    if (parseWatched(name) !== undefined) return watches(name, name);
    const view = frame?.kind === 'c' ? frame.view : undefined;
    const row = peek(this.#session.machine, () => {
      const found = evaluateC(this.#session.machine, view, name);
      return 'error' in found ? undefined : cRow(this.#session, { name, value: found.value }, view, name, false);
    });
    if (row?.dataId !== undefined) return watches(row.dataId, name);
    return none(
      `${name} is nothing that can be watched: rmp(g, 0..64K), npt(g, 0), attr(g, 0..2M), rmp(0x40000), or a variable of C.`,
    );
  }

  /** `rmp(g, 0..64K)`, `rmp(0x40000..0x40010)`, `npt(g, 4K)`, `attr(g, 0..2M)`. */
  #pages(expression: string, frame: Frame | undefined): Watched | undefined {
    const session = this.#session;
    const { machine } = session;
    const match = /^\s*(rmp|npt|attr)\s*\((?:\s*(\w+)\s*,)?(.*)\)\s*$/s.exec(expression);
    if (match === null) return undefined;
    const guest = machine.guests.findIndex(({ name }) => name === match[2]);
    if (match[2] !== undefined && guest < 0) return undefined;
    const at = frame?.kind === 'scenario' ? frame.instruction : session.run.position;
    const result = peek(machine, () => session.expressions.evaluate(session.run, match[3], at));
    if (!('value' in result)) return undefined;
    const { value } = result;
    let { start, end } =
      'start' in value
        ? value
        : 'value' in value && typeof value.value === 'number'
          ? { start: value.value, end: value.value + 1 }
          : { start: -1, end: -1 };
    if (start < 0 || end <= start) return undefined;
    if (guest < 0) return match[1] === 'rmp' ? { kind: 'rmp', start, end } : undefined;
    const inFrames = value.kind === 'gfn' || value.kind === 'gfn-range';
    if (!inFrames) [start, end] = [Math.floor(start / 4096), Math.ceil(end / 4096)];
    if (match[1] !== 'rmp') return { kind: match[1] as 'npt', asid: machine.guests[guest].asid, start, end };
    const pfn = peek(machine, () => machine.backingPfn(guest, start * 4096));
    return pfn === undefined ? undefined : { kind: 'rmp', start: pfn, end: pfn + (end - start) };
  }

  // ---------------------------------------------------------------- memory

  readMemory(args: Args): DebugProtocol.ReadMemoryResponse['body'] {
    const at = this.#address(args);
    const wanted = Math.min(count(args, 'count'), MOST_BYTES);
    if (wanted < 0) throw new RequestError('The argument count must not be negative.');
    const { rmp } = this.#session.machine.hardware;
    const end = rmp.coveredPages * ENTRY;
    const from = Math.max(0, at);
    const bytes: string[] = [];
    for (let i = from; i < Math.min(at + wanted, end); i++) {
      const word = rmp.word(Math.floor(i / ENTRY), Math.floor((i % ENTRY) / 4));
      bytes.push(String.fromCharCode((word >>> ((i % 4) * 8)) & 0xff));
    }
    const unreadable = wanted - bytes.length;
    return {
      address: hex(from),
      data: btoa(bytes.join('')),
      ...(unreadable > 0 ? { unreadableBytes: unreadable } : {}),
    };
  }

  /** What may have changed when something was written: the whole table, since one write can reach far. */
  allMemory(): DebugProtocol.MemoryEvent['body'] {
    return {
      memoryReference: rmpReference(0),
      offset: 0,
      count: this.#session.machine.hardware.rmp.coveredPages * ENTRY,
    };
  }

  writeMemory(args: Args): DebugProtocol.WriteMemoryResponse['body'] {
    const at = this.#address(args);
    let data: string;
    try {
      data = atob(text(args, 'data'));
    } catch {
      throw new RequestError('The argument data must be in base64.');
    }
    const { hardware } = this.#session.machine;
    const end = Math.min(at + data.length, hardware.rmp.coveredPages * ENTRY);
    if (at < 0 || (end < at + data.length && !flag(args, 'allowPartial')))
      throw new RequestError('This reaches beyond the RMP.');
    this.#session.whatIf(() => {
      for (let pfn = Math.floor(at / ENTRY); pfn * ENTRY < end; pfn++) {
        const words = [0, 1, 2, 3].map((n) => hardware.rmp.word(pfn, n));
        for (let i = Math.max(at, pfn * ENTRY); i < Math.min(end, (pfn + 1) * ENTRY); i++) {
          const n = Math.floor((i % ENTRY) / 4);
          const shift = (i % 4) * 8;
          words[n] = ((words[n] & ~(0xff << shift)) | (data.charCodeAt(i - at) << shift)) >>> 0;
        }
        hardware.writeRaw(pfn as Parameters<typeof hardware.writeRaw>[0], words[0], words[1], words[2], words[3]);
      }
    });
    return { bytesWritten: end - at };
  }

  /** Byte in the table, counted from the entry of pfn 0. */
  #address(args: Args): number {
    const base = addressOf(text(args, 'memoryReference'));
    if (base === undefined) throw new RequestError('This is no memory reference of an RMP entry.');
    return base + count(args, 'offset', 0);
  }
}

function addressOf(reference: string): number | undefined {
  const match = /^rmp:(0x[0-9a-f]+)$/i.exec(reference);
  if (match !== null) return Number(match[1]) * ENTRY;
  return /^0x[0-9a-f]+$/i.test(reference) ? Number(reference) : undefined;
}

function bytesOf(address: string, bytes: number): Watched | undefined {
  const at = addressOf(address.trim());
  if (at === undefined || bytes <= 0) return undefined;
  return { kind: 'rmp', start: Math.floor(at / ENTRY), end: Math.ceil((at + bytes) / ENTRY) };
}

const asHex = (args: Args): boolean => isObject(args.format) && args.format.hex === true;
