/** Completion of declarations, statements, actors and their operations. */
import * as t from '../generated/scenario-parser-terms.ts';
import type { OperationSpec } from '../scenario/operation-table.ts';
import { operationsOf } from '../scenario/operations.ts';
import type { ActorKind } from '../scenario/program.ts';
import { ACTOR_DOCS, ACTORS } from '../scenario/words.ts';
import { type At, functionNames } from './complete.ts';
import { type Completion, choice, placeholder } from './completion.ts';
import { STATEMENTS } from './documentation.ts';
import { actorKind, type Expected } from './expected.ts';
import { scenarioSnippet, scenarioSnippets } from './scenario-snippets.ts';
import { describeSequence } from './visible.ts';

/** `$1` where the cursor goes first. */
const DECLARATIONS: Readonly<Record<string, string>> = {
  use: `use \${1|kernel,patch,source|} "$2"`,
  import: 'import "$1"',
  host: `host {\n  memory \${1:4G}\n  $0\n}`,
  guest: `guest \${1:g} {\n  slot 0 gpa \${2:0..1G} private folio \${3|2M,4K,1G|}\n  $0\n}`,
  stub: `stub \${1:name} returns \${2:0}`,
  let: `let \${1:name} = $0`,
  sequence: `sequence \${1:name}(\${2:guest}) {\n  $0\n}`,
  invariant: `invariant "\${1:name}" {\n  forall page p: \${0}\n}`,
  scenario: `scenario "\${1:name}" {\n  $0\n}`,
};

const INSERTED: Readonly<Record<string, string>> = { import: 'import ""', host: 'host {\n}' };

export function completeDeclarations(at: At): Completion[] {
  const { analysis } = at;
  const hasHost = analysis.tree.topNode.getChild(t.HostDeclaration) !== null;
  const hasKernel = analysis.declarations.kernel.span !== undefined;
  const guest = analysis.declarations.guests[0]?.name;
  const listed: Completion[] = [];
  for (const [name, snippet] of Object.entries(DECLARATIONS)) {
    if (name === 'host' && hasHost) continue;
    const rank = name === 'scenario' ? 0 : name === 'use' && hasKernel ? 2 : 1;
    listed.push({
      label: name,
      kind: 'keyword',
      detail: STATEMENTS[name].doc,
      doc: `statement:${name}`,
      snippet,
      insert: INSERTED[name] ?? `${name} `,
      rank,
      goesOn: true,
    });
  }
  const imported = (library: string): boolean => analysis.text.includes(`"${library}"`);
  for (const snippet of scenarioSnippets)
    listed.push({
      label: snippet.label,
      kind: 'snippet',
      doc: `snippet:${snippet.label}`,
      snippet: scenarioSnippet(snippet, guest, imported, hasKernel),
      rank: 8,
    });
  return listed;
}

const STATEMENT_SNIPPETS: Readonly<Record<string, string>> = {
  expect: 'expect ',
  let: `let \${1:name} = $0`,
  for: `for \${1:page} in \${2:0..2M} step \${3:4K} {\n  $0\n}`,
  allow: 'allow ',
};

export function completeStatements(at: At): Completion[] {
  const listed: Completion[] = [];
  for (const name of at.names) {
    if (name.kind === 'guest' || (name.what === 'parameter' && isGuestLike(name.name)))
      listed.push({
        label: name.name,
        kind: 'guest',
        detail: name.declared,
        doc: 'actor:guest',
        rank: 0,
        commit: ['.'],
      });
  }
  for (const actor of ACTORS)
    listed.push({
      label: actor,
      kind: 'actor',
      detail: ACTOR_DOCS[actor],
      doc: `actor:${actor}`,
      rank: 1,
      commit: ['.'],
    });
  for (const [name, snippet] of Object.entries(STATEMENT_SNIPPETS))
    listed.push({
      label: name,
      kind: 'keyword',
      detail: STATEMENTS[name].doc,
      doc: `statement:${name}`,
      snippet,
      insert: `${name} `,
      rank: 2,
      ...(snippet.endsWith(' ') ? { goesOn: true as const } : {}),
    });
  for (const sequence of at.analysis.declarations.home.sequences.values()) {
    const { signature, doc } = describeSequence(sequence);
    const parameters = sequence.parameters.map((p, i) => placeholder(i + 1, p.name)).join(', ');
    listed.push({
      label: sequence.name,
      kind: 'sequence',
      signature: signature.slice(sequence.name.length),
      text: doc,
      snippet: `${sequence.name}(${parameters})`,
      insert: sequence.name,
      rank: 3,
    });
  }
  return listed;
}

/** A parameter takes anything; what it is called tells what it is for. */
export const isGuestLike = (name: string): boolean => /^(?:g|guest|vm)\d*$|guest/i.test(name);

export function completeOperations(at: At, expected: Extract<Expected, { is: 'operation' }>): Completion[] {
  const kind: ActorKind | undefined = actorKind(expected.actor, at.resolver);
  if (kind === undefined) return [];
  if (kind === 'kernel') return expected.selected.length > 0 ? [] : functionNames(at, 'call');
  if (kind !== 'guest' && expected.selected.length > 0) return [];
  // Arguments that are there already stay.
  const called = /^[ \t]*\(/.test(at.analysis.text.slice(at.cursor.word.to, at.cursor.word.to + 20));
  const listed = operationsOf(kind).map((spec) =>
    operationItem(spec, called, kind === 'guest' ? undefined : guestOf(at)),
  );
  if (kind === 'guest') {
    for (const selector of ['vcpu', 'vmpl']) {
      if (expected.selected.includes(selector)) continue;
      listed.push({
        label: selector,
        kind: 'keyword',
        detail: selector === 'vcpu' ? 'another vCPU of the guest' : 'another VMPL of the vCPU',
        doc: 'actor:guest',
        ...(called ? {} : { snippet: `${selector}(\${1:1}).$0`, insert: `${selector}(1).`, goesOn: true as const }),
        rank: 4,
      });
    }
  }
  return listed;
}

/** The guest to write: the only one. */
const guestOf = (at: At): string | undefined => {
  const named = at.names.filter((name) => name.kind === 'guest');
  return named.length === 1 ? named[0].name : undefined;
};

function operationItem(spec: OperationSpec, called: boolean, guest: string | undefined): Completion {
  const required = spec.operands.filter(
    (o) => o.form !== 'flag' && o.default === undefined && o.optional !== true && o.form !== 'named',
  );
  const parts = required.map((o, i) =>
    o.kind === 'guest' && guest !== undefined
      ? placeholder(i + 1, guest)
      : o.words !== undefined && o.words.length <= 8
        ? choice(i + 1, o.words)
        : placeholder(i + 1, o.name),
  );
  const item: Completion = {
    label: spec.name,
    kind: 'operation',
    signature: `(${spec.operands.map((o) => o.name).join(', ')})`,
    doc: `operation:${spec.key}`,
    rank: 0,
  };
  if (called) return item;
  // Without snippets: the brackets of what can do without arguments; the rest is for the user to open.
  return {
    ...item,
    snippet: `${spec.name}(${parts.length === 0 && spec.operands.length > 0 ? '$1' : parts.join(', ')})`,
    insert: required.length === 0 ? `${spec.name}()` : spec.name,
    commit: ['('],
  };
}
