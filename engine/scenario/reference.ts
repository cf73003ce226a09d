/** The language reference, `docs/language.md`, from the same tables that the analysis reads: what is written there is what is accepted. */
import { hardwareOptionTable } from '../hardware/options.ts';
import { DEFAULT_KERNEL } from './declarations.ts';
import { functions } from './functions.ts';
import { libraryNames } from './library.ts';
import type { Operand, OperationSpec, QuerySpec } from './operation-table.ts';
import { operations, operationsOf, signature } from './operations.ts';
import type { ActorKind } from './program.ts';
import { queries, queryNames } from './queries.ts';
import type { SettingSpec } from './setting-values.ts';
import { GUEST_SETTINGS, HOST_SETTINGS, SLOT_SETTINGS } from './settings.ts';
import {
  ACTOR_DOCS,
  ERRNOS,
  EVENT_CODES,
  EXITS,
  FAULT_BITS,
  FIRMWARE_CODES,
  PAGE_STATES,
  PLAIN_OUTCOMES,
  RETURN_CODES,
} from './words.ts';

const EXAMPLE = `// One page of a 2M private folio becomes shared: KVM must PSMASH first.
use kernel "${DEFAULT_KERNEL}"
use patch "0048-kvm-svm-snp-mem-attr-updates.mbox"

host {
  memory 4G
  cpus 4
}

guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}

scenario "unshare one page of a 2M folio" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, 64K..68K, SHARED)

  expect rmp(g, 64K) is shared
  expect rmp(g, 68K) is { guest g, 4K, validated }
  g.read(68K)              => ok
  host.write(pfn(g, 68K))  => #PF(RMP)
}`;

export function renderLanguageReference(): string {
  return `${[
    introduction(),
    linesAndNames(),
    quantities(),
    files(),
    host(),
    guests(),
    scenarios(),
    outcomes(),
    operationSections(),
    querySections(),
    invariants(),
    reserved(),
  ].join('\n\n')}\n`;
}

const code = (text: string): string => `\`${text}\``;
const codes = (words: readonly string[]): string => words.map(code).join(', ');
/** A bar in a cell would end it. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
}

const fence = (text: string): string => `\`\`\`snpscenario\n${text}\n\`\`\``;

function introduction(): string {
  return `# The scenario language

<!-- Made from the tables in engine/scenario by \`renderLanguageReference()\`. UPDATE_EXPECT=1 with test/engine/scenario/reference.test.ts writes it anew. -->

A \`.snpscenario\` file sets up a host and guests and says, step by step, who does what and what comes of it. Every scenario in it is run as it is typed, on a
simulated RMP and on the kernel C that the file names.

${fence(EXAMPLE)}`;
}

function linesAndNames(): string {
  return `## Lines, comments, names

- One step to a line; the end of the line ends it. Inside \`( )\` and inside the braces of a pattern a newline is space.
- \`//\` and \`#\` begin a comment. Lines of \`///\` above a declaration document it.
- Keywords are keywords only where one can stand: a guest may be called \`page\`, a variable \`asid\`.
- Texts stand in double quotes; \`\\"\`, \`\\\\\`, \`\\n\` and \`\\t\` are understood.
- A line that is wrong is left out, with a problem that says why; the rest runs.`;
}

function quantities(): string {
  return `## Quantities and kinds

Numbers are written \`4096\`, \`0x1000\`, \`0b101\`, \`4_096\`, or with a binary suffix: \`64K\`, \`2M\`, \`1G\`, \`1T\`. Operators, strongest first: \`~\` and unary \`-\`;
\`* / %\`; \`+ -\`; \`<< >>\`; \`&\`; \`|\`; then ranges. Numbers are exact up to 64 bits.

Ranges are half-open: \`0..2M\`. \`64K +4K\`, with space before the plus and none after it, is the range of that start and length; \`64K + 4K\` is a sum.

A quantity is a **gpa**, a **gfn**, a **pfn**, a **spa**, or a plain number. Different kinds do not mix; a plain number takes the kind that its place wants.
An address plus, minus or masked with a number is an address; the difference of two addresses of a kind is a number; so is every product, quotient, shift
and remainder.

${table(
  ['function', 'meaning'],
  functions.map((f) => [f.signatures.map(code).join(', '), f.doc]),
)}

A number written with a suffix is an amount of bytes, so \`gfn(64K)\` is refused: say \`gfn(gpa(64K))\` or \`gfn(0x10000)\`.`;
}

function files(): string {
  return `## A file

${table(
  ['declaration', 'meaning'],
  [
    ['`use kernel "name"`', `The bundled kernel model. Default \`"${DEFAULT_KERNEL}"\`.`],
    [
      '`use patch "path"`',
      "The functions of a patch, mbox or diff take the place of the model's. Paths are relative to the scenario file.",
    ],
    ['`use source "path"`', 'The same with a C file.'],
    ['`stub name returns 0`', 'A C function that does nothing and returns a number.'],
    [
      '`import "path"`',
      'The `let`s and sequences of another scenario file. Its host, guests, invariants and scenarios stay its own, and so does what it imports.',
    ],
    [
      libraryNames.map((name) => `\`import "${name}"\``).join(', '),
      'A library of sequences that comes with the extension: what VMMs and guests do to convert memory, in their order.',
    ],
    ['`host { … }`', 'The host; once.'],
    ['`guest name { … }`', 'A guest.'],
    ['`let name = value`', 'A name for a value. At the top of a file it is evaluated where it is used.'],
    [
      '`sequence name(a, b) { … }`',
      'Steps with a name, written out where they are called: `name(g, 0..2M)`. Parameters take any value: guests, quantities, ranges, words. No recursion.',
    ],
    ['`invariant "name" { … }`', 'A rule of your own, for every scenario of the file; see Invariants.'],
    ['`scenario "name" { … }`', 'What is run. Each begins with the host and the guests as declared.'],
  ],
)}`;
}

const settings = (specs: readonly SettingSpec[]): string =>
  table(
    ['setting', 'written', 'meaning'],
    specs.map((s) => [code(s.name), code(s.written), s.doc]),
  );

function host(): string {
  const show = (value: unknown): string => (value === true ? 'on' : value === false ? 'off' : String(value));
  return `## Host

One setting to a line.

${settings(HOST_SETTINGS)}

Options stand for what the manuals leave open, or what differs between processors. A verdict that depends on an open one says so.

${table(
  ['option', 'values, default first', 'meaning'],
  hardwareOptionTable.map((row) => [
    code(row.name),
    codes([show(row.default), ...(row.values as readonly unknown[]).filter((v) => v !== row.default).map(show)]),
    row.doc,
  ]),
)}`;
}

function guests(): string {
  return `## Guests

${settings(GUEST_SETTINGS)}

A slot is one line: \`slot 0\` and then, in any order:

${settings(SLOT_SETTINGS)}`;
}

function scenarios(): string {
  return `## Statements

${table(
  ['statement', 'meaning'],
  [
    ['`actor.operation(arguments) => outcome`', 'A step. Without `=>` it is expected to succeed.'],
    ['`expect query is …`', 'States something about the machine, see Queries.'],
    ['`name(arguments)`', 'The steps of a sequence.'],
    ['`let name = value`', 'A name for a value, evaluated here, once.'],
    [
      '`for x in range step n { … }`',
      'Steps for each value of a range. Without `step`: by 4K over GPAs, by 1 over anything else.',
    ],
    ['`allow RULE "reason" { … }`', 'The rule is silent for the steps inside.'],
    [
      '`allow RULE "reason"`',
      'The same for the next statement; or at the end of a step, for that step. An `allow` that silences nothing is a warning.',
    ],
  ],
)}

Positional arguments come in order. A named one is written with its name: \`asid 1\`, \`gpa 0\`; any positional one can be. A flag is its bare word: \`assigned\`.
A guest's operations are its first vCPU's at VMPL0 unless it says \`g.vcpu(1).read(0)\`, \`g.vmpl(1).read(0)\` or both.

Rules that can be allowed are those about behaviour; a name that is none of them is answered with the list.`;
}

function outcomes(): string {
  return `## Outcomes

${table(
  ['outcome', 'meaning'],
  [
    ...PLAIN_OUTCOMES.map((o) => [code(o.name), o.doc]),
    ['`CF=1`, `CF=0`', 'PVALIDATE changed nothing; it changed Validated.'],
    [codes(RETURN_CODES), 'Return codes of the RMP instructions.'],
    ['`EINVAL`, `EPERM` …', `An errno: ${ERRNOS.join(', ')}.`],
    [
      '`#NPF(RMP\\|ENC)`, `#PF(RMP)`',
      `A nested or a host page fault with these bits: ${codes(FAULT_BITS.map((b) => b.name))}. Without parentheses, with any bits. The bits of RMP faults must be exactly these; page-fault bits count once one of them is named. A number is taken apart into bits.`,
    ],
    ['`#VC(0x404)`', '#VC with that exit code; 0x404 is PAGE_NOT_VALIDATED.'],
    ['`#GP`, `#UD`', 'Other faults.'],
    [codes(EXITS), 'KVM left to the VMM. `exit(MEMORY_FAULT)` is the same as `KVM_EXIT_MEMORY_FAULT`.'],
    [codes(EVENT_CODES), 'An event of the IOMMU; a signal to host user space.'],
    [codes(FIRMWARE_CODES), 'Status of a firmware command.'],
    ['`0x10`', 'A C function returned this number.'],
  ].map(([a, b]) => [a.replaceAll('\\|', '|'), b]),
)}`;
}

const ACTOR_ORDER: readonly ActorKind[] = ['vmm', 'guest', 'host', 'cpu', 'fw', 'dev', 'kernel'];

function operationSections(): string {
  const sections = ACTOR_ORDER.map((actor) => {
    const title = actor === 'guest' ? 'guest, by its name' : actor;
    return `### ${title}\n\n${ACTOR_DOCS[actor]}\n\n${operationsOf(actor).map(operationEntry).join('\n\n')}`;
  });
  return `## Operations\n\n${operations.length} operations of ${ACTOR_ORDER.length} actors.\n\n${sections.join('\n\n')}`;
}

function operationEntry(spec: OperationSpec): string {
  const who = spec.actor === 'guest' ? 'g' : spec.actor;
  const written = spec.variadic ? `${who}.<function>(arguments)` : `${who}.${signature(spec.name, spec.operands)}`;
  return [
    `#### \`${written}\``,
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

function querySections(): string {
  return `## Queries

\`expect query is word\`, \`expect query is { field value, flag, not flag }\`, \`expect query is not …\`. Of a query with one field, \`is\` compares that field:
\`expect refcount(pfn(g, 0)) is 1\`. \`expect all 0..2M rmp(g) is …\` asks for every page of a range, which then stands in place of the GPA (or of the pfn).

${queryNames.map(querySection).join('\n\n')}

Page states: ${PAGE_STATES.map((s) => `${code(s.name)} (${s.doc.replace(/\.$/, '')})`).join('; ')}.`;
}

function querySection(name: string): string {
  const rows: readonly QuerySpec[] = queries.filter((q) => q.key === name);
  const [first] = rows;
  const forms = rows.map((q) => (q.operands.length === 0 ? q.key : signature(q.key, q.operands)));
  const words = [...new Set(rows.flatMap((q) => Object.keys(q.words)))];
  return [
    `### ${forms.map(code).join(', ')}`,
    first.doc,
    first.fields.length === 0
      ? ''
      : table(
          ['field', 'kind', 'meaning'],
          first.fields.map((f) => [
            code(f.name),
            f.kind === 'bool'
              ? 'flag'
              : f.kind === 'word'
                ? (f.words ?? []).length > 4
                  ? 'word'
                  : codes(f.words ?? [])
                : f.kind,
            f.doc,
          ]),
        ),
    words.length === 0 ? '' : `Words: ${words.map((w) => wordMeaning(rows, w)).join(', ')}.`,
    `Source: ${first.source}.`,
    fence(first.example),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function wordMeaning(rows: readonly QuerySpec[], word: string): string {
  const meaning = rows.find((q) => q.words[word] !== undefined)?.words[word] ?? {};
  const parts = Object.entries(meaning).map(([field, value]) => {
    if (typeof value === 'boolean') return value ? field : `not ${field}`;
    return `${field} ${typeof value === 'string' && value.startsWith('@') ? `the ${value.slice(1)} asked about` : value}`;
  });
  const plain = parts.length === 1 && parts[0].endsWith(` ${word}`);
  return plain ? code(word) : `${code(word)} (${parts.join(', ')})`;
}

function invariants(): string {
  const example = `invariant "no validated page is shared" {
  forall page p: rmp(p) is validated implies rmp(p) is assigned
}

invariant "what is private is mapped privately" {
  forall gpa a of g:
    attr(g, a) is private and npt(g, a) is mapped
      implies rmp(g, a) is { guest g, assigned }
}`;
  return `## Invariants

Every rule of the catalogue is on by default. An \`invariant\` at the top of a file adds one, for every scenario in it.

${fence(example)}

- \`forall page p:\` goes over host frames; \`p\` is a pfn. \`forall gpa a of g:\` goes over the memory of a guest, by 4K. An invariant may
  have several, a line each; all of them are to hold.
- What follows is made of the conditions of \`expect\` (all queries but \`log\`), joined by \`not\`, \`and\`, \`or\` and \`implies\`, which bind in this order, strongest
  first; parentheses group. From \`forall\` to the end of it a newline is space.
- It is judged when a step has come to rest, for the pages that the step touched: host frames whose RMP entry it may have changed (for \`directmap\` and
  \`refcount\`, also what these read), and GPAs whose attribute, mapping or backing page it may have changed. A page that was in violation before is not
  reported again.
- Where a query has no answer, such as \`rmp(g, a)\` of a GPA that no slot covers, what depends on it is not violated.
- A violation is an error of rule \`INVARIANT\` on the step. \`allow INVARIANT "reason"\` silences it, for all invariants of the file.`;
}

function reserved(): string {
  return `## Reserved

\`parallel { … }\`, \`matrix { … }\` and \`use kernel "a", "b"\` are reserved. They are read, reported and left out.`;
}
