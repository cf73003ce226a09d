// `evaluate` and `setExpression`: expressions of C in a C frame, and of the scenario language everywhere.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { renderType } from '../../../engine/c/types.ts';
import { evaluateC } from '../../../engine/debug/c-expression.ts';
import { expands, formatC, peek } from '../../../engine/debug/c-values.ts';
import type { Watched } from '../../../engine/debug/data-watch.ts';
import type { Frame } from '../../../engine/debug/frames.ts';
import { formatField, type ScenarioResult } from '../../../engine/debug/scenario-expression.ts';
import { setScenarioVariable, variablesOf } from '../../../engine/debug/scenario-variables.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { operandWords } from '../../../engine/scenario/operations.ts';
import { queryNames } from '../../../engine/scenario/queries.ts';
import type { FrameView } from '../../../engine/vm/unwind.ts';
import type { Handles } from './handles.ts';
import { rmpRow } from './page-rows.ts';
import { pagesOfExpression } from './pages-of-expression.ts';
import { type Args, RequestError, text } from './requests.ts';
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

  /** Looks, whatever the context. */
  evaluate(args: Args, frame: Frame | undefined): Evaluated {
    const session = this.#session;
    const expression = text(args, 'expression').trim();
    const hexadecimal = asHex(args);
    return peek(session.machine, () => {
      const c = frame?.kind === 'c' ? this.#c(frame.view, expression, hexadecimal) : undefined;
      if (c !== undefined && !('error' in c)) return c;
      const result = evaluateScenario(session, expression, frame);
      if ('error' in result) {
        const constant = c ?? this.#c(undefined, expression, hexadecimal);
        if (!('error' in constant)) return constant;
        throw new RequestError(this.#complaint(expression, c?.error, result.error));
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

  /** The language that the frame speaks has the word, unless the expression is plainly of the other. */
  #complaint(expression: string, c: string | undefined, scenario: string): string {
    const called = /^(\w+)\s*\(/.exec(expression)?.[1] ?? '';
    const { program } = this.#session.machine;
    if (program.find(called) !== undefined && !queryNames.includes(called))
      return `${called}() is a function of C, and functions are not called: looking changes nothing.`;
    return c === undefined || /^(?:expect|all|let)\b|\(/.test(expression) ? scenario : c;
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

  /** What the console is told to assign: `level = 1`. Everywhere else an assignment is no expression. */
  assignment(args: Args): { expression: string; value: string } | undefined {
    if (args.context !== 'repl') return undefined;
    const match = /^((?:[^=!<>]|->)+?)\s*=(?!=)\s*(.+)$/s.exec(text(args, 'expression').trim());
    return match === null ? undefined : { expression: match[1], value: match[2] };
  }

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
}

/** As the language has it where the frame stands; a word that means nothing by itself is no value. */
function evaluateScenario(session: DebugSession, expression: string, frame: Frame | undefined): ScenarioResult {
  const result =
    frame?.kind === 'scenario'
      ? session.evaluate(expression, undefined, frame.instruction)
      : session.evaluate(expression, frame?.view);
  const isWord = 'value' in result && result.value.kind === 'word' && !operandWords.has(expression);
  return isWord ? { error: `Nothing here is called ${expression}.` } : result;
}

function refuse(wrong: string | undefined): void {
  if (wrong !== undefined) throw new RequestError(wrong);
}
