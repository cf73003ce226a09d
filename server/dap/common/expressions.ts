// `evaluate`, `setExpression` and `completions`: expressions of C in a C frame, and of the scenario language everywhere.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { findMember } from '../../../engine/c/layout.ts';
import { isRecord, renderType } from '../../../engine/c/types.ts';
import { evaluateC } from '../../../engine/debug/c-expression.ts';
import { expands, formatC, localsOf, peek } from '../../../engine/debug/c-values.ts';
import type { Watched } from '../../../engine/debug/data-watch.ts';
import { formatField } from '../../../engine/debug/scenario-expression.ts';
import { setScenarioVariable, variablesOf } from '../../../engine/debug/scenario-variables.ts';
import type { DebugSession, Frame } from '../../../engine/debug/session.ts';
import { queryNames } from '../../../engine/scenario/queries.ts';
import type { FrameView } from '../../../engine/vm/unwind.ts';
import type { Handles } from './handles.ts';
import { rmpRow } from './page-rows.ts';
import { pagesOfExpression } from './pages-of-expression.ts';
import { type Args, count, RequestError, text } from './requests.ts';
import { asHex, cContainer, cRow, fixed, type Row, setC } from './rows.ts';

type Evaluated = DebugProtocol.EvaluateResponse['body'];

const READ_ONLY = { presentationHint: { attributes: ['readOnly'] } };

export class Expressions {
  readonly #session: DebugSession;
  readonly #handles: Handles;

  constructor(session: DebugSession, handles: Handles) {
    this.#session = session;
    this.#handles = handles;
  }

  // ---------------------------------------------------------------- evaluate

  evaluate(args: Args, frame: Frame | undefined): Evaluated {
    const session = this.#session;
    const expression = text(args, 'expression').trim();
    const hexadecimal = asHex(args);
    return peek(session.machine, () => {
      const c = frame?.kind === 'c' ? this.#c(frame.view, expression, hexadecimal) : undefined;
      if (c !== undefined && !('error' in c)) return c;
      const result = session.expressions.evaluate(
        session.run,
        expression,
        frame?.kind === 'scenario' ? frame.instruction : session.run.position,
      );
      if ('error' in result) {
        const constant = c ?? this.#c(undefined, expression, hexadecimal);
        if (!('error' in constant)) return constant;
        // The language that the frame speaks has the word.
        throw new RequestError(c === undefined || /^(?:expect|all|let)\b|\(/.test(expression) ? result.error : c.error);
      }
      if ('fields' in result && Object.keys(result.fields).length > 1)
        return this.#fields(expression, frame, result.fields, result.text);
      const isVariable = variablesOf(session).some(({ name }) => name === expression);
      return {
        result: result.text,
        variablesReference: 0,
        ...('value' in result ? { type: result.value.kind } : {}),
        ...(isVariable || this.#fieldRow(expression, frame)?.set !== undefined ? {} : READ_ONLY),
      };
    });
  }

  /** What a query found: of an RMP entry the bits, which can be set; of anything else what the query says. */
  #fields(
    expression: string,
    frame: Frame | undefined,
    fields: Readonly<Record<string, unknown>>,
    words: string,
  ): Evaluated {
    const watched = pagesOfExpression(this.#session, expression, frame);
    const row = watched?.kind === 'rmp' ? rmpRow(this.#session, watched.start, expression) : undefined;
    const inside =
      (this.#isOwnEntry(watched) ? row?.inside : undefined) ??
      fixed(() =>
        Object.entries(fields).map(([name, value]) => ({
          name,
          value: formatField(value as Parameters<typeof formatField>[0]),
          evaluateName: `${expression}.${name}`,
        })),
      );
    return {
      result: words,
      variablesReference: this.#handles.reference(inside),
      ...(row?.memoryReference === undefined ? {} : { memoryReference: row.memoryReference }),
      ...READ_ONLY,
    };
  }

  #c(view: FrameView | undefined, expression: string, hexadecimal: boolean): Evaluated | { error: string } {
    const session = this.#session;
    const found = evaluateC(session.machine, view, expression);
    if ('error' in found) return found;
    const { value } = found;
    const inside = expands(session.machine, value) ? cContainer(session, value, view, expression) : undefined;
    const row = cRow(session, { name: expression, value }, view, expression, hexadecimal);
    return {
      result: formatC(session.machine, value, hexadecimal),
      type: renderType(value.type),
      variablesReference: this.#handles.reference(inside),
      ...(inside?.indexed === undefined ? {} : { indexedVariables: inside.indexed }),
      ...(row.set === undefined ? READ_ONLY : {}),
    };
  }

  // ---------------------------------------------------------------- setExpression

  set(args: Args, frame: Frame | undefined): DebugProtocol.SetExpressionResponse['body'] {
    const session = this.#session;
    const expression = text(args, 'expression').trim();
    const value = text(args, 'value');
    const view = frame?.kind === 'c' ? frame.view : undefined;
    const target = view === undefined ? undefined : evaluateC(session.machine, view, expression);
    if (target !== undefined && 'value' in target) {
      refuse(setC(session, view, target.value, value));
      return { value: formatC(session.machine, target.value, asHex(args)), type: renderType(target.value.type) };
    }
    const variable = variablesOf(session).find(({ name }) => name === expression);
    if (variable !== undefined) refuse(setScenarioVariable(session, variable, value));
    else {
      const row = this.#fieldRow(expression, frame);
      if (row?.set === undefined) throw new RequestError(target?.error ?? this.#unsettable(expression));
      refuse(row.set(value));
    }
    const { result, type } = this.evaluate({ ...args, expression }, frame);
    return { value: result, ...(type === undefined ? {} : { type }) };
  }

  /** A static variable of C can be set from a scenario's line as well; everything else that has a value cannot. */
  #unsettable(expression: string): string {
    return `${expression} cannot be set: variables of the scenario and of C can, and fields of an RMP entry, such as rmp(g, 0).validated.`;
  }

  /** The field of one page's RMP entry that `rmp(g, 0).asid` names. */
  #fieldRow(expression: string, frame: Frame | undefined): Row | undefined {
    const session = this.#session;
    const match = /^(.*\))\s*\.\s*(\w+)$/s.exec(expression);
    const watched = match === null ? undefined : pagesOfExpression(session, match[1], frame);
    if (match === null || watched?.kind !== 'rmp' || !this.#isOwnEntry(watched)) return undefined;
    const inside = rmpRow(session, watched.start, match[1]).inside;
    return inside?.rows(0, Number.POSITIVE_INFINITY, false).find(({ name }) => name === match[2]);
  }

  /** One page, that is not governed by the 2M entry of another: what rmp() says of it is what its own entry holds. */
  #isOwnEntry(watched: Watched | undefined): boolean {
    if (watched?.kind !== 'rmp' || watched.end !== watched.start + 1) return false;
    const { rmp } = this.#session.machine.hardware;
    return rmp.covers(watched.start) && rmp.governing(watched.start) === watched.start;
  }

  // ---------------------------------------------------------------- completions

  /** @param args with `column` counted from 0 */
  completions(args: Args, frame: Frame | undefined): DebugProtocol.CompletionItem[] {
    const session = this.#session;
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
    for (const { name } of variablesOf(session)) add(name, 'variable');
    for (const guest of session.machine.guests) add(guest.name, 'value');
    for (const query of queryNames) if (query !== 'log') add(query, 'function', `${query}(`);
    add('pfn', 'function', 'pfn(');
    return items;
  }

  #members(of: string, view: FrameView, prefix: string): DebugProtocol.CompletionItem[] {
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
}

function refuse(wrong: string | undefined): void {
  if (wrong !== undefined) throw new RequestError(wrong);
}
