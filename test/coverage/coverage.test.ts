/**
 * docs/coverage.md: every cell of the hardware's rules and the tests that reach it. A cell without a test needs a reason; a test that is named for a
 * cell and does not reach it any more is an error. UPDATE_EXPECT=1 names them anew.
 *
 * What is watched: the conformance corpus, the scenarios in this folder, the matrices of directed.ts, and the unit tests of engine/hardware, which run
 * here once more.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FileHost } from '../../engine/check.ts';
import { createChecker } from '../../engine/checker.ts';
import { fwStatusName } from '../../engine/hardware/firmware.ts';
import { EnvironmentCache } from '../../engine/run/environment.ts';
import { ScenarioRun } from '../../engine/run/run.ts';
import { analyze } from '../../engine/scenario/analyze.ts';
import { HEAD, host as hardwareHost } from '../engine/hardware/machine-kit.ts';
import { finish, lines } from '../engine/run/check-text.ts';
import { firmwareCell, reasons, sections } from './cells.ts';
import { directed } from './directed.ts';
import { transitions } from './firmware-transitions.ts';
import { deviations, enter, note, reached, watch } from './probe.ts';
import { renderCoverage } from './render.ts';
import { rowCell, rowSections } from './rows.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const tests = join(here, '..');
const docs = join(tests, '..', 'docs', 'coverage.md');
const named = join(here, 'named-tests.tsv');

const host: FileHost = {
  resolve: (from, relative) => resolve(dirname(from), relative),
  read(path) {
    try {
      return { text: readFileSync(path, 'utf8') };
    } catch {
      return { error: 'no such file' };
    }
  },
};

watch();

// ---------------------------------------------------------------- the tests that are watched

const environments = new EnvironmentCache();

function runScenarios(path: string, label: string): void {
  const { program } = analyze(path, readFileSync(path, 'utf8'), host);
  enter('');
  const { environment, problems } = environments.get(path, program, host, {});
  assert.deepEqual(problems, []);
  for (const unit of program.scenarios) {
    enter('');
    const run = new ScenarioRun(environment.takeMachine(), unit);
    enter(`${label}: ${unit.name}`);
    while (run.state === 'running') run.advance(1e9);
    for (let i = 0; i < run.executed; i++) {
      const instruction = run.instructionOf(i);
      if (instruction.kind !== 'step' || instruction.operation !== 'dev.write') continue;
      const outcome = run.outcome(i);
      if (outcome !== undefined) note(`DMA: ${outcome.ok ? 'ok' : outcome.code}`);
    }
    enter('');
    run.release();
    environment.giveBack(run.machine);
  }
}

for (const name of readdirSync(here).filter((file) => file.endsWith('.snpscenario')))
  test(`${name} holds`, () => {
    enter('');
    const path = join(here, name);
    assert.deepEqual(lines(finish(createChecker(host), path, readFileSync(path, 'utf8'))), []);
  });

for (const folder of ['coverage', 'conformance/kvm-6.12', 'conformance/kvm-rfc-v8'])
  for (const name of readdirSync(join(tests, folder)).filter((file) => file.endsWith('.snpscenario'))) {
    const label = `${folder.replace('conformance/', '')}/${name.slice(0, -'.snpscenario'.length)}`;
    test(`watched: ${label}`, () => runScenarios(join(tests, folder, name), label));
  }

for (const name of Object.keys(directed)) test(`matrix: ${name}`, directed[name]);

for (const row of transitions) {
  const cell = firmwareCell(row.command, row.before, row.note, row.status);
  test(`firmware: ${cell}`, () => {
    const { hw } = hardwareHost();
    assert.equal(fwStatusName(row.run(hw)), row.status);
    if (row.status !== 'SUCCESS') assert.equal(hw.refusal?.event, hw.trace.length - 1, 'why is noted');
    if (row.after !== '') assert.equal(hw.rmp.pageState(HEAD as never), row.after);
    note(cell);
  });
}

for (const section of rowSections)
  for (const row of section.rows)
    test(`row: ${section.title}: ${row.what}`, () => {
      assert.equal(row.run(), row.outcome);
      note(rowCell(section, row));
    });

beforeEach((t) => {
  const name = 'name' in t ? t.name : '';
  enter(/^watched: | holds$/.test(name) ? '' : name);
});

const units = join(tests, 'engine', 'hardware');
for (const name of readdirSync(units).filter((file) => file.endsWith('.test.ts'))) await import(join(units, name));

// ---------------------------------------------------------------- the table

/** Up to two tests of a cell: one of a scenario, and of the hardware alone the one that is about it most likely. */
function representatives(id: string): string[] {
  const all = [...(reached.get(id) ?? [])].sort();
  const isScenario = (name: string): boolean => /^(coverage|kvm-[^/]+)\//.test(name);
  const units = all.filter((name) => !isScenario(name));
  const own = units.find((name) => !/^(matrix|firmware|row): /.test(name)) ?? units[0];
  return [...all.filter(isScenario).slice(0, 1), ...(own === undefined ? [] : [own])];
}

const ids = sections.flatMap((section) => section.cells.map((cell) => cell.id));

test('coverage: no cell came out otherwise than the manuals say', () => {
  assert.deepEqual(Object.fromEntries(deviations), {});
});

test('coverage: every cell has a test or a reason', () => {
  assert.equal(new Set(ids).size, ids.length, 'cells are named once');
  const empty = ids.filter((id) => !reached.has(id) && !Object.hasOwn(reasons, id));
  assert.deepEqual(empty, []);
  for (const [id, reason] of Object.entries(reasons)) {
    assert.ok(ids.includes(id), `there is no cell ${id}`);
    assert.ok(!reached.has(id), `a test reaches ${id} now: take its reason away`);
    assert.match(reason, /\w+ \w+ \w+/, id);
  }
});

test('coverage: the tests that docs/coverage.md names reach their cells', () => {
  if (process.env.UPDATE_EXPECT === '1') {
    const chosen = Object.fromEntries(ids.map((id) => [id, representatives(id)]));
    writeFileSync(
      named,
      Object.entries(chosen)
        .map(([id, names]) => `${[id, ...names].join('\t')}\n`)
        .join(''),
    );
    writeFileSync(docs, renderCoverage(chosen));
  }
  // A line for each cell: its id and the tests, tab-separated.
  const rows = readFileSync(named, 'utf8').trimEnd().split('\n');
  const chosen = Object.fromEntries(rows.map((line) => line.split('\t')).map(([id, ...names]) => [id, names]));
  const lost = Object.entries(chosen).flatMap(([id, names]) =>
    names
      .filter((name) => reached.get(id)?.has(name) !== true)
      .map((name) => `${id} is not reached by "${name}" any more`),
  );
  assert.deepEqual(lost, []);
  assert.deepEqual(Object.keys(chosen), ids, 'other cells than before: UPDATE_EXPECT=1');
  assert.equal(readFileSync(docs, 'utf8'), renderCoverage(chosen));
});
