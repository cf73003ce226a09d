/**
 * The language reference, docs/language.md and the pages in docs/language, from the same tables that the analysis reads: what is written there is what is
 * accepted.
 */
import { DEFAULT_KERNEL } from './declarations.ts';
import { functions } from './functions.ts';
import { libraryNames } from './library.ts';
import { operations } from './operations.ts';
import { code, fence, MADE, table } from './reference-markdown.ts';
import { OPERATION_PAGES, operationIndex, renderOperationPage } from './reference-operations.ts';
import { renderOptions, renderOutcomes, renderQueries, renderSettings } from './reference-pages.ts';

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

/** The text of each page, by its path below docs. */
export function renderLanguageReference(): ReadonlyMap<string, string> {
  const parts = [
    introduction(),
    pages(),
    linesAndNames(),
    quantities(),
    files(),
    scenarios(),
    operationList(),
    invariants(),
    reserved(),
  ];
  return new Map([
    ['language.md', `${parts.join('\n\n')}\n`],
    ...OPERATION_PAGES.map((one): [string, string] => [`language/${one.file}`, renderOperationPage(one)]),
    ['language/queries.md', renderQueries()],
    ['language/settings.md', renderSettings()],
    ['language/options.md', renderOptions()],
    ['language/outcomes.md', renderOutcomes()],
  ]);
}

function introduction(): string {
  return `# The scenario language

${MADE}

A \`.snpscenario\` file sets up a host and guests and says, step by step, who does what and what comes of it. Every scenario in it is run as it is typed, on a
simulated RMP and on the kernel C that the file names.

${fence(EXAMPLE)}`;
}

function pages(): string {
  const listed = [
    ...OPERATION_PAGES.map(({ title, file }) => [title, file]),
    ['Outcomes, behind `=>`', 'outcomes.md'],
    ['Queries, behind `expect`', 'queries.md'],
    ['Settings of the host and of guests', 'settings.md'],
    ['Options of the hardware and of the kernel models', 'options.md'],
  ];
  return `Pages of their own: ${listed.map(([title, file]) => `[${title}](language/${file})`).join(' · ')}.`;
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
    ['`host { … }`', 'The host; once. See [Settings](language/settings.md).'],
    ['`guest name { … }`', 'A guest. See [Settings](language/settings.md).'],
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

function scenarios(): string {
  return `## Statements

${table(
  ['statement', 'meaning'],
  [
    [
      '`actor.operation(arguments) => outcome`',
      'A step. Without `=>` it is expected to succeed; see [Outcomes](language/outcomes.md).',
    ],
    ['`expect query is …`', 'States something about the machine, see [Queries](language/queries.md).'],
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

function operationList(): string {
  return `## Operations\n\n${operations.length} operations.\n\n${operationIndex()}`;
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
