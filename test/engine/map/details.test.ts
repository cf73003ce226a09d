// What the panel of a page says: of a frame, of a guest's page, of the direct map; its raw bytes, its history, its links.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detailsOf } from '../../../engine/map/details.ts';
import type { MapDetails } from '../../../engine/map/story.ts';
import { type Told, tell } from './kit.ts';

const text = `use kernel "kvm-rfc-v8"
host {
  memory 1G
  rmp 1M..2M
}
guest g {
  asid 1
  slot 0 gpa 0..4M private folio 2M pfn 0x1000
}
scenario "s" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  g.pvalidate(0, 2M)
  vmm.set_memory_attributes(g, 64K..68K, SHARED)
}
`;

function at(told: Told, state: number, lane: number, page: number): MapDetails | null {
  const { teller } = told;
  teller.replay.goTo(teller.instanceOfState(state));
  return detailsOf(teller.replay.machine, teller.lanes, lane, page, (instance) => teller.stepOfInstance(instance));
}

const fact = (details: MapDetails | null, heading: string, label: string): string | undefined =>
  details?.sections.find((section) => section.heading === heading)?.facts.find((one) => one.label === label)?.value;

test('a frame under a 2M entry', () => {
  const told = tell(text);
  const details = at(told, 2, 0, 0x1010);
  assert.ok(details);
  assert.equal(details.title, 'pfn 0x1010');
  assert.equal(fact(details, 'RMP entry', 'State'), 'Guest-Valid');
  assert.equal(fact(details, 'RMP entry', 'Owner'), 'guest g');
  assert.equal(fact(details, 'RMP entry', 'GPA'), '0x10000');
  assert.equal(fact(details, 'RMP entry', 'Page size'), '2M');
  assert.equal(fact(details, 'RMP entry', 'Validated'), 'yes');
  assert.equal(fact(details, 'RMP entry', 'VMPL0'), 'rwxX-');
  assert.equal(fact(details, 'Guest g', 'Attribute'), 'private');
  assert.match(fact(details, 'Guest g', 'NPT') ?? '', /^pfn 0x1010 · 2M · writable$/);
  assert.equal(fact(details, 'Kernel', 'References'), '0');
  // A tail of a 2M entry says Assigned and nothing else; the bytes are the page's own.
  assert.deepEqual(details.raw, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(
    details.links.map(({ lane, page }) => [lane, page]),
    [
      [1, 0x10],
      [0, 0x1000],
      [2, 0x1010],
    ],
  );
});

test('its head: raw bytes in memory order, and the subpage count once it is split', () => {
  const told = tell(text);
  const head = at(told, 2, 0, 0x1000);
  // Assigned | 2M; ASID 1 in bits 60:51, Validated in bit 62; VMPL0 has all.
  assert.deepEqual(head?.raw, [3, 0, 0, 0, 0, 0, 0x08, 0x40, 0x0f, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(fact(at(told, 3, 0, 0x1000), 'RMP entry', 'Subpage count'), '510');
  assert.equal(fact(at(told, 3, 0, 0x1010), 'RMP entry', 'State'), 'Hypervisor');
});

test('the history names steps and C lines, newest first', () => {
  const details = at(tell(text), 3, 1, 0x10);
  assert.ok(details);
  assert.equal(details.title, 'gpa 0x10000 of guest g');
  const steps = details.history.map(({ step }) => step);
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => b - a),
  );
  assert.ok(steps.includes(0) && steps.includes(1) && steps.includes(2));
  const unassigned = details.history.find(({ what }) => what === 'RMPUPDATE 4K: unassigned');
  assert.equal(unassigned?.step, 2);
  assert.ok(unassigned.frames.length > 1);
  assert.match(unassigned.frames[0].uri, /^model:kvm-rfc-v8\/.*\.c$/);
  assert.ok(unassigned.frames[0].line > 0);
  const validated = details.history.find(({ what }) => what.startsWith('PVALIDATE'));
  assert.deepEqual([validated?.step, validated?.frames], [1, []]);
});

test('before the first step nothing has happened', () => {
  assert.deepEqual(at(tell(text), 0, 0, 0x1010)?.history, []);
});

test('a page of the direct map, and a frame that the RMP does not cover', () => {
  const told = tell(text);
  const mapped = at(told, 3, 2, 0x1011);
  assert.equal(mapped?.title, 'direct map of pfn 0x1011');
  assert.equal(fact(mapped, 'Direct map', 'Level'), '4K');
  // 1M of RMP less its bookkeeping has entries for 252M.
  const beyond = at(told, 3, 0, 0x3f000);
  assert.equal(fact(beyond, 'RMP entry', 'State'), 'Default');
  assert.deepEqual(beyond?.raw, []);
  assert.equal(fact(at(told, 0, 0, 0x100), 'RMP entry', 'State'), 'Firmware');
});

test('a guest page outside of its memory', () => {
  const details = at(tell(text), 3, 1, 0x3ff);
  assert.equal(fact(details, 'Guest g', 'Memory slot'), '0');
});

test('what is no page has no details', () => {
  const told = tell(text);
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (lane, page) => {
      const details = at(told, 1, lane as number, page as number);
      const isPage = (n: unknown, end: number): boolean =>
        typeof n === 'number' && Number.isInteger(n) && n >= 0 && n < end;
      const { lanes } = told.teller;
      const exists = isPage(lane, lanes.length) && isPage(page, lanes[lane as number].shown.pages);
      assert.equal(details !== null, exists);
    }),
  );
  for (const page of [-1, 0.5, Number.NaN, 2 ** 40]) assert.equal(at(told, 1, 0, page), null);
  for (const lane of ['length', 'at', ['0']]) assert.equal(at(told, 1, lane as unknown as number, 0), null);
});
