// An engine for tests of the server: its verdicts are written in the text, a line each. So a test says what is found, how much work it
// is and what goes wrong, and says nothing about SNP.
//
//   problem RULE message…          a diagnostic on this line
//   in FILE LINE RULE message…     a diagnostic in another file
//   blame FILE LINE message…       one on this line, related to a line of another file
//   use FILE                       reads the file; a diagnostic on this line says what it holds, or why it cannot be had
//   work N                         N units of work before the next line
//   throw message…                 a bug of the engine
//   forever                        never finishes
//   print message…                 writes to the console, as a forgotten debugging line would; printf to stdout itself
//   later, reject message…         an error that nobody catches, in a callback or a promise
//   unused                         a diagnostic that is tagged
//   scenario STATUS NAME           a verdict

import type { Diagnostic, Location } from '../../engine/base/diagnostic.ts';
import type { Check, Checker, CheckResult, FileHost } from '../../engine/check.ts';
import { analyze } from '../../engine/scenario/analyze.ts';
import type { Engine } from '../../server/common/platform.ts';

const models: Record<string, string> = { 'fake/sev.c': 'int sev;\n' };

export const fakeEngine: Engine = {
  createChecker: createFakeChecker,
  kernels: ['fake'],
  modelText: (path) => (Object.hasOwn(models, path) ? models[path] : undefined),
};

function createFakeChecker(host: FileHost): Checker {
  // As a real checker would, it remembers files until it is told that they changed.
  const known = new Map<string, ReturnType<FileHost['read']>>();
  const read = (path: string) => {
    if (!known.has(path)) known.set(path, host.read(path));
    return known.get(path)!;
  };
  return {
    start: (path, text) => new FakeCheck(host, read, path, text),
    view: (path, text) => ({
      analysis: analyze(path, text, host),
      environment: () => undefined,
      result: () => undefined,
      replay: () => undefined,
    }),
    forget: () => {},
    fileChanged: (path) => {
      known.delete(path);
    },
  };
}

class FakeCheck implements Check {
  readonly #host: FileHost;
  readonly #read: FileHost['read'];
  readonly #lines: string[];
  readonly #result: CheckResult;
  #line = 0;
  #work = 0;

  constructor(host: FileHost, read: FileHost['read'], path: string, text: string) {
    this.#host = host;
    this.#read = read;
    this.#lines = text.split('\n');
    this.#result = { path, diagnostics: [], scenarios: [], dependencies: [] };
  }

  advance(units: number): boolean {
    let left = units;
    while (this.#line < this.#lines.length) {
      if (left <= 0) return false;
      if (this.#work > 0) {
        const done = Math.min(left, this.#work);
        spin(done);
        this.#work -= done;
        left -= done;
        continue;
      }
      left -= 1;
      this.#do(this.#lines[this.#line]!.trim());
      this.#line += 1;
    }
    return this.#work <= 0;
  }

  result(): CheckResult {
    return this.#result;
  }

  #do(line: string): void {
    const [word = '', ...rest] = line.split(' ');
    const here = this.#at(this.#result.path, this.#line);
    if (word === 'problem') this.#add(rest[0]!, rest.slice(1).join(' '), here);
    if (word === 'in') this.#add(rest[2]!, rest.slice(3).join(' '), this.#at(this.#file(rest[0]!), Number(rest[1])));
    if (word === 'blame') {
      const cause = { message: 'because of this', location: this.#at(this.#file(rest[0]!), Number(rest[1])) };
      this.#add('BLAME', rest.slice(2).join(' '), here).related.push(cause);
    }
    if (word === 'use') {
      const path = this.#file(rest.join(' '));
      this.#result.dependencies.push(path);
      const result = this.#read(path);
      this.#add('USE', 'text' in result ? result.text : `error: ${result.error}`, here);
    }
    if (word === 'work') this.#work += Number(rest[0]);
    if (word === 'forever') this.#work = Number.POSITIVE_INFINITY;
    if (word === 'throw') throw new Error(rest.join(' '));
    if (word === 'print') console.log(rest.join(' '));
    if (word === 'printf') process.stdout.write(rest.join(' '));
    if (word === 'later') setTimeout(() => (undefined as unknown as () => void)(), 0);
    if (word === 'reject') void Promise.reject(new Error(rest.join(' ')));
    if (word === 'unused') this.#add('UNUSED', 'never reached', here).tags = ['unnecessary'];
    if (word === 'scenario') {
      const status = rest[0] as 'passed' | 'failed' | 'error';
      this.#result.scenarios.push({ name: rest.slice(1).join(' '), doc: '', status, steps: 3, range: here.range });
    }
  }

  #file(name: string): string {
    return name.startsWith('model:') ? name : this.#host.resolve(this.#result.path, name);
  }

  #at(path: string, line: number): Location {
    const end = path === this.#result.path ? (this.#lines[line]?.length ?? 0) : 1;
    return { path, range: { start: { line, character: 0 }, end: { line, character: end } } };
  }

  #add(rule: string, message: string, location: Location): Diagnostic {
    const severity = rule.startsWith('W-') ? 'warning' : 'error';
    const diagnostic: Diagnostic = {
      rule,
      spec: `I-${rule}`,
      severity,
      message,
      location,
      related: [],
      data: { rule },
    };
    this.#result.diagnostics.push(diagnostic);
    return diagnostic;
  }
}

/** About as long as a unit of work of the real engine takes: 20 ns. */
function spin(units: number): void {
  const until = performance.now() + units * 20e-6;
  while (performance.now() < until);
}
