// What a stopped session shows: threads, stack, scopes, variables. Numbers of frames and variables hold until the session moves.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../../engine/base/text.ts';
import { evaluateC } from '../../../engine/debug/c-expression.ts';
import { localsOf, peek } from '../../../engine/debug/c-values.ts';
import { parseWatched, watchedId } from '../../../engine/debug/data-watch.ts';
import { addressOf, pointOf } from '../../../engine/debug/disassembly.ts';
import type { Frame } from '../../../engine/debug/frames.ts';
import { formatValue } from '../../../engine/debug/scenario-expression.ts';
import { setScenarioVariable, variablesOf } from '../../../engine/debug/scenario-variables.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import type { Handles } from './handles.ts';
import { watchedBytes } from './memory.ts';
import { guestContainer, hostContainer, pageContainer } from './page-rows.ts';
import { pagesOfExpression } from './pages-of-expression.ts';
import { type Args, count, flag, RequestError, text } from './requests.ts';
import { asHex, type Container, cRow, fixed, type Row } from './rows.ts';
import type { Sources } from './sources.ts';

/** Children given at once to a client that does not ask for pages; who has more of them says so beforehand. */
const ALL = 100_000;

type DataBreakpointInfo = DebugProtocol.DataBreakpointInfoResponse['body'];

export class Inspector {
  readonly #session: DebugSession;
  readonly #sources: Sources;
  readonly #handles: Handles;
  #frames: Frame[] | undefined;

  constructor(session: DebugSession, sources: Sources, handles: Handles) {
    this.#session = session;
    this.#sources = sources;
    this.#handles = handles;
  }

  /** The session has moved. */
  forget(): void {
    this.#frames = undefined;
    this.#handles.forget();
  }

  frames(): Frame[] {
    this.#frames ??= this.#session.frames();
    return this.#frames;
  }

  /** The actors: the host, then each vCPU. */
  threads(): DebugProtocol.Thread[] {
    return this.#session.actors().map((name, i) => ({ id: i + 1, name }));
  }

  /** The frame that `frameId` names; without one the innermost. */
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
    const start = Math.max(0, Math.trunc(count(args, 'startFrame', 0)));
    const levels = Math.trunc(count(args, 'levels', 0));
    const end = levels > 0 ? start + levels : all.length;
    const stackFrames = all.slice(start, end).map((frame, i): DebugProtocol.StackFrame => {
      const { location } = frame;
      const source = location === undefined || location.path === '' ? undefined : this.#sources.toClient(location.path);
      const range = location?.range;
      const point = pointOf(frame, all[start + i - 1]?.kind !== 'scenario');
      return {
        id: start + i + 1,
        name: frame.name,
        line: range?.start.line ?? 0,
        column: range?.start.character ?? 0,
        ...(source === undefined ? {} : { source }),
        ...(range === undefined ? {} : { endLine: range.end.line, endColumn: range.end.character }),
        ...(frame.kind === 'c' ? { canRestart: true } : {}),
        ...(point === undefined ? {} : { instructionPointerReference: hex(addressOf(point)) }),
      };
    });
    return { stackFrames, totalFrames: all.length };
  }

  scopes(args: Args): DebugProtocol.Scope[] {
    const session = this.#session;
    const frame = this.frame({ frameId: count(args, 'frameId') });
    const scopes: DebugProtocol.Scope[] = [];
    const add = (name: string, inside: Container, hint?: string, expensive = false): void => {
      scopes.push({
        name,
        variablesReference: this.#handles.reference(inside),
        expensive,
        ...(hint === undefined ? {} : { presentationHint: hint }),
      });
    };
    if (frame?.kind === 'c') {
      const own = (parameter: boolean): Container =>
        fixed((hexadecimal) =>
          localsOf(session.machine, frame.view)
            .filter((local) => local.parameter === parameter)
            .map((local) => cRow(session, local, frame.view, local.name, hexadecimal)),
        );
      add('Locals', own(false), 'locals');
      add('Arguments', own(true), 'arguments');
    } else if (session.unit.variableNames.length > 0) add('Variables', this.#variables(), 'locals');
    const page = session.pageAtHand(frame?.kind === 'c' ? frame.view : undefined);
    if (page.gfn !== undefined || page.pfn !== undefined) add('Page', pageContainer(session, page));
    for (const [index, guest] of session.machine.guests.entries())
      add(`Guest ${guest.name}`, guestContainer(session, index));
    add('Host', hostContainer(session), undefined, true);
    return scopes;
  }

  #variables(): Container {
    const session = this.#session;
    return fixed(() =>
      variablesOf(session).map((variable) => ({
        name: variable.name,
        value: formatValue(variable.value, session.machine.guests),
        type: variable.value.kind,
        evaluateName: variable.name,
        set: (text) => setScenarioVariable(session, variable, text),
      })),
    );
  }

  // ---------------------------------------------------------------- variables

  variables(args: Args): DebugProtocol.Variable[] {
    const inside = this.#container(args);
    if (args.filter === 'named' && inside.indexed !== undefined) return [];
    if (args.filter === 'indexed' && inside.indexed === undefined) return [];
    const start = Math.max(0, Math.trunc(count(args, 'start', 0)));
    const wanted = Math.trunc(count(args, 'count', 0));
    const rows = this.#rows(inside, start, wanted > 0 ? Math.min(wanted, ALL) : ALL, asHex(args));
    return rows.map((row) => this.#variable(row));
  }

  #container(args: Args): Container {
    const inside = this.#handles.get(count(args, 'variablesReference'));
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
      variablesReference: this.#handles.reference(inside),
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
    const { value, type, variablesReference, indexedVariables } = this.#variable(this.#row(args));
    return {
      value,
      ...(type === undefined ? {} : { type }),
      variablesReference,
      ...(indexedVariables === undefined ? {} : { indexedVariables }),
    };
  }

  // ---------------------------------------------------------------- data breakpoints

  dataBreakpointInfo(args: Args): DataBreakpointInfo {
    const name = text(args, 'name');
    if (typeof args.variablesReference === 'number' && args.variablesReference > 0) {
      const row = this.#row(args);
      return row.dataId === undefined ? nothing(`${name} cannot be watched.`) : watches(row.dataId, name);
    }
    if (flag(args, 'asAddress')) {
      const watched = watchedBytes(name, count(args, 'bytes', 1));
      return watched === undefined
        ? nothing(`${name} is no address in the RMP, such as rmp:0x40000.`)
        : watches(watchedId(watched), `RMP bytes at ${name}`);
    }
    const frame = this.frame(args);
    const pages = pagesOfExpression(this.#session, name, frame);
    if (pages !== undefined) return watches(watchedId(pages), name);
    if (parseWatched(name) !== undefined) return watches(name, name);
    const view = frame?.kind === 'c' ? frame.view : undefined;
    const row = peek(this.#session.machine, () => {
      const found = evaluateC(this.#session.machine, view, name);
      return 'error' in found ? undefined : cRow(this.#session, { name, value: found.value }, view, name, false);
    });
    if (row?.dataId !== undefined) return watches(row.dataId, name);
    return nothing(
      `${name} is nothing that can be watched: rmp(g, 0..64K), npt(g, 0), attr(g, 0..2M), rmp(0x40000), or a variable of C.`,
    );
  }
}

const nothing = (description: string): DataBreakpointInfo => ({ dataId: null, description });

const watches = (dataId: string, description: string): DataBreakpointInfo => ({
  dataId,
  description,
  accessTypes: ['write'],
  // Pages stay where they are from session to session, variables of C do not.
  canPersist: !dataId.startsWith('c:'),
});
