/**
 * The one table of rules: every diagnostic the product can give has a row here. Severities, documentation links, `allow` and reports are read from it.
 */

import { align } from './align.ts';
import { asidcnt } from './asidcnt.ts';
import { attrRmp } from './attr-rmp.ts';
import { bound } from './bound.ts';
import { cf } from './cf.ts';
import { count } from './count.ts';
import { cover } from './cover.ts';
import { dm } from './dm.ts';
import { free } from './free.ts';
import { gpaInj } from './gpa-inj.ts';
import { headonly } from './headonly.ts';
import { hostw } from './hostw.ts';
import { idemp } from './idemp.ts';
import { imm } from './imm.ts';
import { inuse } from './inuse.ts';
import type { Invariant, RuleInfo } from './invariant.ts';
import { launch } from './launch.ts';
import { leak } from './leak.ts';
import { lock } from './lock.ts';
import { lockBalance } from './lock-balance.ts';
import { lookup } from './lookup.ts';
import { order } from './order.ts';
import { overlap } from './overlap.ts';
import { owner } from './owner.ts';
import { partial } from './partial.ts';
import { psc } from './psc.ts';
import { psmashZap } from './psmash-zap.ts';
import { ref } from './ref.ts';
import { retry } from './retry.ts';
import { size } from './size.ts';
import { swallow } from './swallow.ts';
import { tail } from './tail.ts';
import { valid } from './valid.ts';
import { vmpl } from './vmpl.ts';
import { walk } from './walk.ts';
import { zap } from './zap.ts';

/** The invariants, in the order in which their findings are shown on a step. */
export const invariants: readonly Invariant[] = [
  // what a conversion did and left
  order,
  bound,
  attrRmp,
  partial,
  psc,
  swallow,
  cover,
  overlap,
  imm,
  align,
  inuse,
  retry,
  idemp,
  lookup,
  // nested page table, and what the guest meets
  zap,
  psmashZap,
  size,
  valid,
  gpaInj,
  cf,
  walk,
  vmpl,
  // the host's own memory
  hostw,
  dm,
  leak,
  free,
  ref,
  // launch and ASIDs
  launch,
  owner,
  asidcnt,
  // the table itself
  count,
  tail,
  headonly,
  // locks
  lock,
  lockBalance,
];

const LANGUAGE = 'scenario language reference';

const others: readonly RuleInfo[] = [
  // What a run came to
  {
    id: 'OUTCOME',
    spec: '',
    severity: 'warning',
    statement: 'A step does what it states after `=>`, or succeeds when it states nothing.',
    source: LANGUAGE,
    explanation: `A step that states no outcome is expected to succeed. What it did instead stands in the message, in the form in which it can be written after \`=>\`; if it is meant, say so. A warning in the editor, but the scenario does not pass.`,
  },
  {
    id: 'FAULT',
    spec: '',
    severity: 'error',
    statement: 'A step does not fault unless it says so.',
    source: 'APM vol. 2, 15.36.10',
    explanation: `An access that nobody resolves: the guest's #VC, a host #PF, an NPF that KVM answers by entering the guest again until the scenario is stopped. The message says what the page is and since when.`,
  },
  {
    id: 'EXPECT',
    spec: '',
    severity: 'error',
    statement: 'What `expect` states about the machine holds.',
    source: LANGUAGE,
    explanation: `The message says what was found, and which step made it so.`,
  },
  {
    id: 'TERM',
    spec: 'I-TERM',
    severity: 'error',
    statement: 'Every retry loop and every faulting access comes to an end.',
    source: 'rmpupdate() (x86/virt/svm/sev.c): unbounded retry of FAIL_OVERLAP',
    explanation: `A CPU that retries what can never succeed does not come back. Two forms are found: an access of a guest after which the state that decides it keeps recurring (\`=> livelock\` if that is the point of the scenario), and a loop of the kernel's C whose turns repeat each other, or of which there are too many.

rmpupdate() of current kernels retries FAIL_OVERLAP for ever. If what overlaps is an assigned page of the other size, that is for ever: no other CPU is going to finish.`,
  },
  {
    id: 'TRAP',
    spec: '',
    severity: 'error',
    statement: 'Kernel C does not dereference bad pointers, divide by zero or hit BUG().',
    source: 'C11 6.5; include/asm-generic/bug.h',
    explanation: `The kernel would have oopsed or hit a BUG(). What it holds at that moment (locks, references, half-changed pages) is in no state to go on from, so the scenario stops, unless the step states \`=> trap\`.`,
  },
  {
    id: 'UNREACHED',
    spec: '',
    severity: 'hint',
    statement: 'A step that cannot be reached is shown greyed.',
    source: LANGUAGE,
    explanation: `A step before it stopped the scenario.`,
  },
  {
    id: 'INVARIANT',
    spec: '',
    severity: 'error',
    statement: "The file's own `invariant` declarations hold after every step.",
    source: LANGUAGE,
    explanation: `\`invariant "…" { forall page p: … implies … }\` adds a rule to a file. It is judged when a step has come to rest, for the pages that the step touched; a page that violated it before is not reported again, and a page of which a query has nothing to say does not violate it. The report names the first page, what was found there and which step made it so; the declaration is its second place. \`allow INVARIANT "reason"\` silences all invariants of the file for a step.`,
  },
  {
    id: 'ALLOW-UNUSED',
    spec: '',
    severity: 'warning',
    statement: 'An `allow` silences something.',
    source: LANGUAGE,
    explanation: `An \`allow\` documents a known violation. When nothing in its scope violates the rule any more, the defect has been mended, or the rule is the wrong one.`,
  },
  // C
  {
    id: 'C-SYNTAX',
    spec: '',
    severity: 'error',
    statement: 'C that a scenario reaches can be parsed.',
    source: 'C11 6',
  },
  { id: 'C-TYPE', spec: '', severity: 'error', statement: 'C that a scenario reaches is well typed.', source: 'C11 6' },
  {
    id: 'C-UNSUPPORTED',
    spec: '',
    severity: 'error',
    statement: 'C that a scenario reaches stays within what the simulator runs.',
    source: 'docs/c.md',
  },
  {
    id: 'C-UNDEFINED',
    spec: '',
    severity: 'error',
    statement: 'Functions that a scenario reaches are defined by the model, the patch, the source or a stub.',
    source: 'docs/c.md',
  },
  {
    id: 'PATCH',
    spec: '',
    severity: 'error',
    statement: 'A patch file can be read and its functions used.',
    source: 'git-format-patch(1)',
  },
  // Language
  { id: 'SYNTAX', spec: '', severity: 'error', statement: 'The text follows the grammar.', source: LANGUAGE },
  { id: 'NAME', spec: '', severity: 'error', statement: 'Names are declared.', source: LANGUAGE },
  { id: 'KIND', spec: '', severity: 'error', statement: 'GPA, GFN, PFN and SPA do not mix.', source: LANGUAGE },
  {
    id: 'VALUE',
    spec: '',
    severity: 'error',
    statement: 'Quantities lie in the range of their kind.',
    source: LANGUAGE,
  },
  { id: 'DUPLICATE', spec: '', severity: 'error', statement: 'A name is declared once.', source: LANGUAGE },
  { id: 'FILE', spec: '', severity: 'error', statement: 'A file that is named can be read.', source: LANGUAGE },
  {
    id: 'IMPORT',
    spec: '',
    severity: 'error',
    statement: 'Imports can be resolved and do not form a cycle.',
    source: LANGUAGE,
  },
  { id: 'OPERATION', spec: '', severity: 'error', statement: 'An operation exists for its actor.', source: LANGUAGE },
  {
    id: 'ARGUMENT',
    spec: '',
    severity: 'error',
    statement: 'Arguments are what the operation takes.',
    source: LANGUAGE,
  },
  {
    id: 'OUTCOME-PATTERN',
    spec: '',
    severity: 'error',
    statement: 'An expected outcome is one the language knows.',
    source: LANGUAGE,
  },
  { id: 'RESERVED', spec: '', severity: 'error', statement: 'Reserved constructs are not used yet.', source: LANGUAGE },
];

export const rules: readonly RuleInfo[] = [...invariants, ...others];

const byId = new Map(rules.map((rule) => [rule.id, rule]));

export const ruleInfo = (id: string): RuleInfo | undefined => byId.get(id);

/** Rules that `allow` may name: those about behaviour, not those about the text. */
export const allowableRules: readonly string[] = [...invariants.map((rule) => rule.id), 'TERM', 'INVARIANT'];
