/** What is said about a step that is wrong: rule, message, and what the first fix would write instead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check, fixes, problems, scenario, underlined } from './scenario-kit.ts';

/** step, underlined, RULE, start of the message, replacement. */
type Row = [step: string, underlined: string, rule: string, message: string, fix?: string];

function rows(name: string, table: Row[]): void {
  for (const [step, place, rule, message, fix] of table) {
    test(`${name}: ${step}`, () => {
      const analysis = check(scenario(step));
      const found = problems(analysis);
      assert.equal(found.length, 1, found.join('\n'));
      const wanted = `6 ${rule} ${message}`;
      assert.equal(found[0].slice(0, wanted.length), wanted);
      assert.deepEqual(underlined(analysis), [place]);
      assert.deepEqual(fixes(analysis), fix === undefined ? [] : [fix]);
    });
  }
}

rows('kinds do not mix', [
  ['g.read(gfn(0x10))', 'gfn(0x10)', 'KIND', '`gfn(0x10)` is a gfn, and `read` takes a gpa.', 'gpa(gfn(0x10))'],
  ['host.write(gpa(64K))', 'gpa(64K)', 'KIND', '`gpa(64K)` is a gpa, and `write` takes a pfn.', 'pfn(g, gpa(64K))'],
  ['host.write(spa(0x1000))', 'spa(0x1000)', 'KIND', '`spa(0x1000)` is a spa', 'pfn(spa(0x1000))'],
  ['host.write(gfn(3))', 'gfn(3)', 'KIND', '`gfn(3)` is a gfn', 'pfn(g, gpa(gfn(3)))'],
  ['g.read(pfn(g, 0))', 'pfn(g, 0)', 'KIND', '`pfn(g, 0)` is a pfn, and `read` takes a gpa. No function'],
  [
    'g.read(gpa(gfn(1)) + gfn(1))',
    'gpa(gfn(1)) + gfn(1)',
    'KIND',
    '`+` mixes a gpa and a gfn',
    'gpa(gfn(1)) + gpa(gfn(1))',
  ],
  ['g.read(gpa(0) + gpa(4K))', 'gpa(0) + gpa(4K)', 'KIND', '`+` mixes a gpa and a gpa'],
  [
    'vmm.punch_hole(g, gfn(0)..gfn(512))',
    'gfn(0)..gfn(512)',
    'KIND',
    '`gfn(0)..gfn(512)` is a range of gfns',
    'gpa(gfn(0)..gfn(512))',
  ],
  [
    'vmm.punch_hole(g, gpa(0)..gfn(512))',
    'gpa(0)..gfn(512)',
    'KIND',
    '`gpa(0)..gfn(512)` runs from a gpa to a gfn',
    'gpa(0)..gpa(gfn(512))',
  ],
  ['vmm.punch_hole(g, 64K)', '64K', 'KIND', '`64K` is a number, and `punch_hole` takes a range of gpas.', '64K +4K'],
  ['g.read(64K +4K)', '64K +4K', 'KIND', '`64K +4K` is a range of numbers, and `read` takes a gpa.', '64K + 4K'],
  [
    'let a = gfn(64K)',
    'gfn(64K)',
    'KIND',
    '`64K` is an amount of bytes, and `gfn` takes a frame number or an address.',
    'gfn(gpa(64K))',
  ],
  ['let a = 5 + "x"', '"x"', 'KIND', '`+` takes quantities, and `"x"` is a string.'],
  ['let a = spa(0)..spa(4)', 'spa(0)..spa(4)', 'KIND', 'There are no ranges of system physical addresses'],
  ['let a = pfn(gpa(0))', 'pfn(gpa(0))', 'KIND', 'No fixed rule leads from a gpa to a pfn.', 'pfn(g, gpa(0))'],
]);

rows('values', [
  ['g.read(0x10000000000000000)', '0x10000000000000000', 'VALUE', '`0x10000000000000000` does not fit into 64 bits.'],
  [
    'g.read(0xfffffffffffff000)',
    '0xfffffffffffff000',
    'VALUE',
    '`0xfffffffffffff000`: 0xfffffffffffff000 is no gpa: gpas have 52 bits at most.',
  ],
  ['g.read(4KB)', '4KB', 'VALUE', '`4KB`: sizes are binary and written without a unit, `4K`.'],
  ['g.read(010)', '010', 'VALUE', '`010`: leave the leading 0 away'],
  ['g.read(12ab)', '12ab', 'VALUE', '`12ab` is no number; if it is hexadecimal, write `0x12ab`.'],
  ['g.read(1__0)', '1__0', 'VALUE', '`1__0`: an underscore stands between two digits.'],
  ['g.read(4 / 0)', '4 / 0', 'VALUE', '`4 / 0`: division by 0.'],
  ['g.read(1 << 64)', '1 << 64', 'VALUE', '`1 << 64`: a shift is by 0 to 63 bits, not 64.'],
  ['g.read(4K - 8K)', '4K - 8K', 'VALUE', '`4K - 8K`: a gpa is not negative, and this is -4K.'],
  ['vmm.punch_hole(g, 2M..1M)', '2M..1M', 'VALUE', '`2M..1M`: the range ends before it starts'],
  ['g.vcpu(2).read(0)', '2', 'VALUE', 'There is no vcpu 2: guest g has 2 vCPUs, numbered from 0; `vcpus 3`'],
  ['g.vmpl(4).read(0)', '4', 'VALUE', 'There is no vmpl 4: VMPLs are 0 to 3.'],
  [
    'for x in 0..2M { g.read(x) }',
    '0..2M',
    'VALUE',
    'This loop would turn 2,097,152 times; 1,000,000 is the most. Steps over bytes need `step 4K`.',
  ],
  ['for x in 0..2M step 0 { g.read(x) }', '0', 'VALUE', 'A loop goes forward'],
]);

rows('names', [
  ['g.read(x)', 'x', 'NAME', 'Nothing is called `x` here.'],
  ['v.read(0)', 'v', 'NAME', 'No guest and no actor is called `v`. Actors: g, vmm, host, cpu, fw, dev, kernel.'],
  ['guest.read(0)', 'guest', 'NAME', 'A guest acts by its name: `g.read(0)`.', 'g'],
  ['pvalidate(0)', 'pvalidate', 'NAME', 'An operation is written with its actor', 'g.pvalidate'],
  ['if (x) { }', 'if', 'NAME', 'There is no `if` in scenarios'],
  ['expect rmpp(g, 0) is shared', 'rmpp', 'NAME', 'There is no query `rmpp`. Did you mean `rmp`?', 'rmp'],
  [
    'expect rmp(g, 0) is shard',
    'shard',
    'NAME',
    '`rmp` has no field and no word `shard`. Did you mean `shared`?',
    'shared',
  ],
  ['expect rmp(g, 0) is { sized 4K }', 'sized', 'NAME', '`rmp` has no field and no word `sized`.', 'size'],
  [
    'allow ATTR "why" { g.read(0) }',
    'ATTR',
    'NAME',
    'There is no rule `ATTR` to allow. Did you mean `ATTR-RMP`?',
    'ATTR-RMP',
  ],
  ['kernel.f(slot(g, 7))', '7', 'NAME', 'Guest g has no slot 7; its slots are 0.'],
  ['let a = pfm(g, 0)', 'pfm', 'NAME', 'There is no function `pfm` in expressions. Did you mean `pfn`?', 'pfn'],
]);

rows('operations', [
  [
    'g.pvalidte(0)',
    'pvalidte',
    'OPERATION',
    'A guest has no operation `pvalidte`. Did you mean `pvalidate`?',
    'pvalidate',
  ],
  ['vmm.read(0)', 'read', 'OPERATION', '`vmm` has no operation `read`; it is one of `g`'],
  ['g.', 'g.', 'OPERATION', 'An operation is missing after the dot. Operations: pvalidate'],
  ['host.vcpu(0).read(pfn(g, 0))', '.vcpu(0)', 'OPERATION', 'Only a guest has vCPUs and VMPLs'],
  ['g.vcpu(0)', 'vcpu', 'OPERATION', '`vcpu` chooses who acts; an operation follows it'],
  ['g.foo(1).read(0)', '.foo(1)', 'OPERATION', '`.foo(1)`: between a guest and its operation stand only'],
]);

rows('arguments', [
  [
    'vmm.set_memory_attributes(g, 0..2M, PRIVAT)',
    'PRIVAT',
    'ARGUMENT',
    '`set_memory_attributes` takes PRIVATE, SHARED here, and `PRIVAT` is none of it.',
    'PRIVATE',
  ],
  [
    'vmm.set_memory_attributes(g, 0..2M)',
    '(g, 0..2M)',
    'ARGUMENT',
    '`to` is missing: `set_memory_attributes(guest, range, PRIVATE|SHARED)`.',
  ],
  ['vmm.set_memory_attributes(g, 0..2M, PRIVATE, SHARED)', 'SHARED', 'ARGUMENT', '`SHARED` is too much'],
  ['g.pvalidate(0, 1G)', '1G', 'ARGUMENT', '`pvalidate` takes 4K, 2M here, and `1G` is none of it.'],
  ['g.read(0, private, 5)', '5', 'ARGUMENT', '`5` is one argument too many: `read(gpa, [private|shared])`.'],
  [
    'cpu.rmpupdate(pfn(g, 0), asd 1)',
    'asd 1',
    'ARGUMENT',
    '`rmpupdate` has no operand `asd` with a value. Did you mean `asid`?',
  ],
  ['cpu.rmpupdate(pfn(g, 0), asid 1, asid 2)', 'asid 2', 'ARGUMENT', '`asid` is given twice.'],
  ['g.read', 'g.read', 'ARGUMENT', 'Its arguments are missing: `g.read(gpa, [private|shared])`.'],
  ['kernel.f(0..4)', '0..4', 'ARGUMENT', '`0..4` is a range of numbers, which C cannot take'],
  ['expect all 0..2M rmp(g, 0) is shared', 'all 0..2M', 'ARGUMENT', 'With `all` the range says which pages'],
  ['expect all 0..2M log contains "x"', 'all 0..2M', 'ARGUMENT', '`log` is not about a page'],
  ['expect log is 5', 'is 5', 'ARGUMENT', 'The log is asked with `contains "…"`.'],
  ['expect rmp(g, 0) is { asid }', 'asid', 'ARGUMENT', '`asid` is a number: write `asid` and what it is to be.'],
  ['expect rmp(g, 0) is { not asid 4 }', 'not asid 4', 'ARGUMENT', 'Inside braces `not` applies to yes-or-no fields'],
  ['allow ATTR-RMP "" { g.read(0) }', '""', 'ARGUMENT', 'An `allow` says why: its reason is empty.'],
  ['allow ATTR-RMP "why"', 'allow ATTR-RMP "why"', 'ARGUMENT', 'No step follows that this `allow` could apply to.'],
]);

rows('outcomes', [
  ['g.read(0) => EPERRM', 'EPERRM', 'OUTCOME-PATTERN', '`EPERRM` is no outcome. Did you mean `EPERM`?', 'EPERM'],
  ['g.read(0) => NPF', 'NPF', 'OUTCOME-PATTERN', 'A fault is written with its #: `#NPF`.', '#NPF'],
  [
    'g.read(0) => NPF(RMP)',
    'NPF(RMP)',
    'OUTCOME-PATTERN',
    'Only faults have bits, and a fault is written with its #',
    '#NPF(RMP)',
  ],
  ['g.read(0) => #NPF(RMP|FOO)', 'FOO', 'OUTCOME-PATTERN', 'An error code has no bit `FOO`.'],
  ['g.read(0) => #FOO', '#FOO', 'OUTCOME-PATTERN', '`#FOO` is no fault that the language knows.'],
  ['g.read(0) => -22', '-22', 'OUTCOME-PATTERN', 'A negative result is written as its errno'],
  ['g.read(0) => CF=2', 'CF=2', 'OUTCOME-PATTERN', '`CF=2` is no outcome; the carry flag'],
  [
    'g.read(0) =>',
    '>',
    'SYNTAX',
    'Expected an outcome: `ok`, `fails`, FAIL_OVERLAP, EINVAL, #NPF(RMP), `CF=1` …, found the end of the line.',
  ],
]);

rows('syntax', [
  ['g', 'g', 'SYNTAX', '`g` alone is no step; it is a guest: `g.read(64K)`.'],
  ['g.read(0);', ';', 'SYNTAX', 'There is one step to a line; the end of the line ends it, without `;`.', ''],
  ['g.read(0) g.read(1)', 'g.read(1)', 'SYNTAX', 'The statement ends before `g.read(1)`. There is one step to a line.'],
  ['g.read(0) -> ok', '-> ok', 'SYNTAX', '`-> ok`: what a step is expected to come to stands after `=>`.'],
  ['g.read(0', '0', 'SYNTAX', '`)` is missing'],
  ['vmm.punch_hole(g, , 5)', ',', 'SYNTAX', 'Expected an argument, found `,`.'],
  ['g.read(64K +)', ')', 'SYNTAX', 'Expected a value, found `)`.'],
  ['let x', 'x', 'SYNTAX', 'Expected `=` and a value, found the end of the line.'],
  ['let = 4', '=', 'SYNTAX', 'Expected a name, found `=`.'],
  ['for x in { g.read(0) }', '{', 'SYNTAX', 'Expected a range, `0..2M`, found `{`.'],
  ['expect', 'expect', 'SYNTAX', 'Expected what is asked'],
  ['expect rmp(g, 0)', ')', 'SYNTAX', 'Expected `is` and what it is to be'],
  ['expect rmp(g, 0) is', 'is', 'SYNTAX', 'Expected what it is to be'],
  ['expect log contains', 'contains', 'SYNTAX', 'Expected a text in quotes'],
  ['expect log contains "x', '"x', 'SYNTAX', 'Expected a text in quotes after `contains`.'],
  [') foo', ') foo', 'SYNTAX', '`) foo` is no statement. No bracket is open here.'],
  ['5 + 5', '5 + 5', 'SYNTAX', '`5 + 5` is no statement.'],
  ['allow', 'allow', 'SYNTAX', 'Expected the id of a rule'],
  ['allow ATTR-RMP', 'RMP', 'SYNTAX', 'Expected the reason, in quotes'],
  ['{ g.read(0) }', '{', 'SYNTAX', 'A block belongs to `for` or `allow`.'],
]);

rows('reserved', [
  [
    'parallel { g.read(0) }',
    'parallel',
    'RESERVED',
    '`parallel { … }` will explore the interleavings of threads; it is reserved',
  ],
  ['matrix { }', 'matrix', 'RESERVED', '`matrix { … }` will run a scenario'],
  ['invariant "x" { forall page p: p }', 'invariant', 'SYNTAX', 'An invariant holds for every scenario of the file'],
]);
