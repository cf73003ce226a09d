/** Pages of the reference about operations, one for each group of actors. */
import type { Operand, OperationSpec } from './operation-table.ts';
import { operationsOf, signature } from './operations.ts';
import type { ActorKind } from './program.ts';
import { anchor, code, codes, fence, page, table } from './reference-markdown.ts';
import { ACTOR_DOCS } from './words.ts';

export interface OperationPage {
  /** Below docs/language. */
  file: string;
  title: string;
  actors: readonly ActorKind[];
}

export const OPERATION_PAGES: readonly OperationPage[] = [
  { file: 'vmm.md', title: 'Operations of the VMM', actors: ['vmm'] },
  { file: 'guest.md', title: 'Operations of a guest', actors: ['guest'] },
  { file: 'instructions.md', title: 'RMP instructions of the host', actors: ['cpu'] },
  { file: 'host.md', title: 'The host, its devices and its kernel', actors: ['host', 'dev', 'kernel'] },
  { file: 'firmware.md', title: 'Commands of SNP firmware', actors: ['fw'] },
];

export function renderOperationPage({ title, actors }: OperationPage): string {
  const sections = actors.map((actor) => {
    const head = actors.length === 1 ? '' : `## ${actor}\n\n`;
    return `${head}${ACTOR_DOCS[actor]}\n\n${operationsOf(actor).map(operationEntry).join('\n\n')}`;
  });
  return page(title, ...sections);
}

const written = (spec: OperationSpec): string => {
  const who = spec.actor === 'guest' ? 'g' : spec.actor;
  return spec.variadic ? `${who}.<function>(arguments)` : `${who}.${signature(spec.name, spec.operands)}`;
};

/** Every operation with a link to where it is described, by page. */
export function operationIndex(): string {
  return table(
    ['page', 'operations'],
    OPERATION_PAGES.map(({ file, title, actors }) => [
      `[${title}](language/${file})`,
      actors
        .flatMap((actor) => operationsOf(actor))
        .map((spec) => {
          const name = spec.variadic
            ? `${spec.actor}.<function>`
            : `${spec.actor === 'guest' ? 'g' : spec.actor}.${spec.name}`;
          return `[${code(name)}](language/${file}#${anchor(written(spec))})`;
        })
        .join(', '),
    ]),
  );
}

function operationEntry(spec: OperationSpec): string {
  return [
    `### \`${written(spec)}\``,
    spec.doc,
    operandTable(spec.operands),
    `Outcomes: ${codes(spec.outcomes)}. Source: ${spec.source}.`,
    fence(spec.example),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function operandTable(operands: readonly Operand[]): string {
  if (operands.length === 0) return '';
  return table(
    ['operand', 'kind', 'default', 'meaning'],
    operands.map((o) => [
      o.form === 'named' ? code(`${o.name} …`) : code(o.name),
      o.words === undefined
        ? o.form === 'flag'
          ? 'flag'
          : o.kind
        : o.words.length > 8
          ? `${codes(o.words.slice(0, 4))} …`
          : codes(o.words),
      o.form === 'flag' && o.words === undefined
        ? 'off'
        : o.default === undefined
          ? o.optional
            ? 'left out'
            : ''
          : code(o.words && o.kind === 'bool' ? o.words[o.default === 'true' ? 0 : 1] : o.default),
      o.doc,
    ]),
  );
}
