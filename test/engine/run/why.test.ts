// Why a page is as it is: the chain of changes of its RMP entry, mapping, attribute and direct map.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnvironmentCache } from '../../../engine/run/environment.ts';
import type { Machine } from '../../../engine/run/machine.ts';
import { ScenarioRun } from '../../../engine/run/run.ts';
import { type PageField, why } from '../../../engine/run/why.ts';
import { analyze } from '../../../engine/scenario/analyze.ts';
import { memoryHost } from './check-text.ts';

const HEADER = `use kernel "kvm-rfc-v8"
host {
  memory 4G
}
guest g {
  asid 1
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}
`;

/** Run a scenario to its end; steps are told by their number. */
function ran(body: string): Machine {
  const host = memoryHost();
  const { program } = analyze('a', `${HEADER}scenario "s" {\n${body}\n}\n`, host);
  const { environment } = new EnvironmentCache().get('a', program, host, {});
  const run = new ScenarioRun(environment.takeMachine(), program.scenarios[0]);
  while (run.state === 'running') run.advance(1e9);
  assert.deepEqual(
    run.findings.map((f) => f.message),
    [],
  );
  return run.machine;
}

const told = (machine: Machine, page: PageField, limit?: number): string[] =>
  why(machine, page, limit).map((c) => `${c.instance}: ${c.what}`);

const UNSHARED = ran(`  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  g.read(64K)
  vmm.set_memory_attributes(g, 64K..68K, SHARED)`);

test('a page that was assigned, split off and taken back', () => {
  assert.deepEqual(told(UNSHARED, { of: 'rmp', pfn: 0x40010 }), [
    '3: RMPUPDATE 4K: unassigned',
    '3: PSMASH: split into 512 entries of 4K',
    '1: PVALIDATE 2M: validated',
    '0: RMPUPDATE 2M: assigned to guest g at GPA 0x0',
  ]);
});

test('one field of it: only what set that field', () => {
  const of = (field: NonNullable<Extract<PageField, { of: 'rmp' }>['field']>, pfn = 0x40010): string[] =>
    told(UNSHARED, { of: 'rmp', pfn, field });
  assert.deepEqual(of('assigned'), ['3: RMPUPDATE 4K: unassigned', '0: RMPUPDATE 2M: assigned to guest g at GPA 0x0']);
  assert.deepEqual(of('size', 0x40011), [
    '3: PSMASH: split into 512 entries of 4K',
    '0: RMPUPDATE 2M: assigned to guest g at GPA 0x0',
  ]);
  assert.deepEqual(of('validated', 0x40011), [
    '1: PVALIDATE 2M: validated',
    '0: RMPUPDATE 2M: assigned to guest g at GPA 0x0',
  ]);
});

test('C frames from the instruction to the ioctl, and none for what the guest did', () => {
  const [unassigned, , validated] = why(UNSHARED, { of: 'rmp', pfn: 0x40010 });
  const functions = unassigned.frames.map((frame) => frame.function);
  assert.deepEqual(functions.slice(0, 4), [
    'rmpupdate',
    'rmp_make_shared',
    'snp_make_page_shared',
    'sev_update_mem_attr',
  ]);
  assert.equal(functions.at(-1), 'scenario_set_memory_attributes');
  assert.deepEqual(validated.frames, []);
});

test('under a 2M entry the head speaks for the page', () => {
  const machine = ran(`  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)`);
  assert.deepEqual(told(machine, { of: 'rmp', pfn: 0x40123, field: 'validated' }), [
    '1: PVALIDATE 2M: validated',
    '0: RMPUPDATE 2M: assigned to guest g at GPA 0x0',
  ]);
});

test('mapping: made by the fault, zapped by the ioctl', () => {
  const all = told(UNSHARED, { of: 'npt', asid: 1, gfn: 16 });
  assert.deepEqual(all, ['3: mapping zapped', '1: mapped to pfn 0x40000 as 2M']);
});

test('attribute and direct map, of a page within a run', () => {
  assert.deepEqual(told(UNSHARED, { of: 'attribute', asid: 1, gfn: 16 }), [
    '3: attribute SHARED',
    '0: attribute PRIVATE',
  ]);
  assert.deepEqual(told(UNSHARED, { of: 'attribute', asid: 1, gfn: 17 }), ['0: attribute PRIVATE']);
  const direct = told(UNSHARED, { of: 'directmap', pfn: 0x40011 });
  assert.ok(direct.length > 0 && direct.every((line) => line.startsWith('0: direct map: ')));
});

test('what changed nothing is left out', () => {
  const machine = ran(`  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)
  vmm.set_memory_attributes(g, 64K +4K, PRIVATE)`);
  assert.deepEqual(told(machine, { of: 'rmp', pfn: 0x40010 }), ['0: RMPUPDATE 4K: assigned to guest g at GPA 0x10000']);
});

test('a page nobody touched, and one beyond the table', () => {
  assert.deepEqual(told(UNSHARED, { of: 'rmp', pfn: 0x50000 }), []);
  assert.deepEqual(told(UNSHARED, { of: 'rmp', pfn: 2 ** 40 }), []);
  assert.deepEqual(told(UNSHARED, { of: 'npt', asid: 9, gfn: 0 }), []);
});

test('no more than asked for', () => {
  assert.equal(why(UNSHARED, { of: 'rmp', pfn: 0x40010 }, 2).length, 2);
});
