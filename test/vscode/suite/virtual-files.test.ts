// Scenarios on no disk: in a file system that an extension provides, and in a document that was never saved. They are checked with the C that they
// use, run in the Test Explorer and debugged.

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { diagnosticsOf, lineOf, ruleOf, screenshot } from './support.ts';

/** As little of a file system as will do: files in a map, one folder. */
class MemoryFiles implements vscode.FileSystemProvider {
  readonly files = new Map<string, { text: string; mtime: number }>();
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.#changed.event;

  put(path: string, text: string): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: 'memfs', path });
    const type = this.files.has(path) ? vscode.FileChangeType.Changed : vscode.FileChangeType.Created;
    this.files.set(path, { text, mtime: Date.now() + this.files.size });
    this.#changed.fire([{ type, uri }]);
    return uri;
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => {});
  }
  stat({ path }: vscode.Uri): vscode.FileStat {
    const file = this.files.get(path);
    if (file) return { type: vscode.FileType.File, ctime: 0, mtime: file.mtime, size: file.text.length };
    if ([...this.files.keys()].some((name) => name.startsWith(path)))
      return { type: vscode.FileType.Directory, ctime: 0, mtime: 0, size: 0 };
    throw vscode.FileSystemError.FileNotFound(path);
  }
  readFile(uri: vscode.Uri): Uint8Array {
    const file = this.files.get(uri.path);
    if (!file) throw vscode.FileSystemError.FileNotFound(uri);
    return new TextEncoder().encode(file.text);
  }
  readDirectory(): [string, vscode.FileType][] {
    return [...this.files.keys()].map((path) => [path.slice(path.lastIndexOf('/') + 1), vscode.FileType.File]);
  }
  writeFile(uri: vscode.Uri, bytes: Uint8Array): void {
    this.put(uri.path, new TextDecoder().decode(bytes));
  }
  createDirectory(): void {}
  delete(): void {}
  rename(): void {}
}

const scenario = `use kernel "kvm-rfc-v8"
use source "own.c"

guest g {
  slot 0 gpa 0..1G private folio 2M pfn 0x40000
}

scenario "in memory" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
}
`;

describe('Scenarios on no disk', () => {
  const memory = new MemoryFiles();
  let provider: vscode.Disposable;
  before(() => {
    provider = vscode.workspace.registerFileSystemProvider('memfs', memory);
  });
  after(() => provider.dispose());
  afterEach(async () => {
    await vscode.debug.stopDebugging();
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
  });

  it('are checked with the C beside them, and again when that changes', async () => {
    const uri = memory.put('/project/a.snpscenario', scenario);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri));
    const [missing] = await diagnosticsOf(uri, (now) => now.length === 1);
    assert.equal(ruleOf(missing as vscode.Diagnostic), 'FILE');
    assert.match(missing?.message ?? '', /no such file/);
    await screenshot('virtual-missing');
    memory.put('/project/own.c', 'static int own;\n');
    await diagnosticsOf(uri, (now) => now.length === 0);
    const summary = await vscode.commands.executeCommand<{ passed: number }>('snpScenario.runFile', uri);
    assert.equal(summary.passed, 1);
  });

  for (const [what, uriOf] of [
    ['of a file system that an extension provides', () => memory.put('/project/b.snpscenario', scenario)],
    ['of a document that was never saved', undefined],
  ] as const) {
    it(`are debugged: ${what}`, async () => {
      memory.put('/project/own.c', 'static int own;\n');
      const document = await (uriOf
        ? vscode.workspace.openTextDocument(uriOf())
        : vscode.workspace.openTextDocument({
            language: 'snpscenario',
            content: scenario.replace('use source "own.c"\n', ''),
          }));
      await vscode.window.showTextDocument(document);
      const line = lineOf(document, 'vmm.');
      vscode.debug.addBreakpoints([
        new vscode.SourceBreakpoint(new vscode.Location(document.uri, new vscode.Position(line, 0))),
      ]);
      assert.equal(
        await vscode.commands.executeCommand('snpScenario.debugScenario', document.uri.toString(), 'in memory'),
        true,
      );
      const end = Date.now() + 15_000;
      while (!(vscode.debug.activeStackItem instanceof vscode.DebugStackFrame)) {
        assert.ok(Date.now() < end, 'the debugger did not stop at the breakpoint');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await screenshot(uriOf ? 'virtual-debug' : 'untitled-debug');
    });
  }
});
