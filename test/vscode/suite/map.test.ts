// The memory map in the editor: it opens by its command, shows the story of the scenario at the cursor, follows the cursor, edits and the debugger, and
// leads back to the text. What the panel and its page say to each other is listened to; what it looks like is in the pictures.

import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { ForTests } from '../../../client/src/extension.ts';
import type { FromPage, ToPage } from '../../../server/common/map-protocol.ts';
import { inWebview, lineOf, open, replace, screenshot } from './support.ts';

type Message = ToPage | FromPage;

let maps: ForTests['maps'];
const heard: { uri: string; message: Message }[] = [];

before(async () => {
  await open('give-back.snpscenario');
  const extension = vscode.extensions.getExtension<ForTests>('snp-scenario.snp-scenario');
  assert.ok(extension);
  maps = (await extension.activate()).maps;
  maps.onMessage((uri, message) => heard.push({ uri, message }));
});

afterEach(async () => {
  await vscode.debug.stopDebugging();
  await until(() => vscode.debug.activeDebugSession === undefined, 'the session to end');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  heard.length = 0;
});

async function until(done: () => boolean, what: string, milliseconds = 15_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!done()) {
    if (Date.now() > end)
      throw new Error(`waited for ${what}; heard ${heard.map(({ message }) => message.type).join(' ')}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** The last message of a type, or the first after `from` messages. */
async function message<T extends Message['type']>(type: T, from = 0): Promise<Extract<Message, { type: T }>> {
  const find = () => heard.slice(from).findLast((one) => one.message.type === type);
  await until(() => find() !== undefined, `a message ${type}`);
  return find()?.message as Extract<Message, { type: T }>;
}

async function openMap(editor: vscode.TextEditor, scenario?: string): Promise<Extract<ToPage, { type: 'story' }>> {
  await vscode.commands.executeCommand('snpScenario.openMap', editor.document.uri, scenario);
  return message('story');
}

const cursorTo = (editor: vscode.TextEditor, line: number): void => {
  editor.selection = new vscode.Selection(line, 2, line, 2);
};

describe('the memory map', () => {
  it('opens beside the editor and tells the story of the scenario', async () => {
    const editor = await open('give-back.snpscenario');
    const { story } = await openMap(editor);
    assert.equal(story.scenario, 'a page out of a 2M folio');
    assert.deepEqual(
      story.lanes.map(({ name }) => name),
      ['Host physical memory', 'g', 'Direct map'],
    );
    assert.equal(story.steps.length, 2);
    assert.ok(story.changes.start instanceof Uint32Array);
    const panels = () =>
      vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).filter(({ label }) => label.startsWith('Map:'));
    await until(() => panels().some(({ label }) => label === 'Map: a page out of a 2M folio'), 'the title');
    await vscode.commands.executeCommand('snpScenario.openMap', editor.document.uri);
    assert.equal(panels().length, 1, 'asked for again, it is shown and not made twice');
    await screenshot('map');
  });

  it('opens from the lens above a scenario', async () => {
    const editor = await open('give-back.snpscenario');
    const lenses = async () =>
      (await vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', editor.document.uri))
        .map(({ command }) => command)
        .filter((command) => command?.title === 'Map');
    let map = (await lenses())[0];
    await until(() => {
      if (map === undefined) void lenses().then(([found]) => (map = found));
      return map !== undefined;
    }, 'the lens');
    await vscode.commands.executeCommand(map?.command ?? '', ...(map?.arguments ?? []));
    assert.equal((await message('story')).story.scenario, 'a page out of a 2M folio');
  });

  it('is opened from the walkthrough, of a scenario that is open', async () => {
    await open('give-back.snpscenario');
    await vscode.commands.executeCommand('workbench.action.openSettings2');
    await until(() => vscode.window.activeTextEditor === undefined, 'an editor that is no text');
    await vscode.commands.executeCommand('snpScenario.openMap');
    const { story } = await message('story');
    assert.equal(story.scenario, 'a page out of a 2M folio');
  });

  it('follows the cursor, and the text as it is typed', async () => {
    const editor = await open('give-back.snpscenario');
    await openMap(editor);
    cursorTo(editor, lineOf(editor.document, '0..2M, PRIVATE'));
    await until(
      () => heard.some(({ message: m }) => m.type === 'position' && 'position' in m && m.position.state === 1),
      'state 1',
    );
    cursorTo(editor, lineOf(editor.document, '4K, SHARED'));
    await until(
      () => heard.some(({ message: m }) => m.type === 'position' && 'position' in m && m.position.state === 2),
      'state 2',
    );
    const from = heard.length;
    await replace(editor, 'expect rmp', 'g.pvalidate(page + 4K)\n  expect rmp');
    const { update } = await message('update', from);
    assert.equal(update.firstStep, 2);
    assert.equal(update.steps[0]?.text, 'g.pvalidate(page + 4K)');
    const later = heard.length;
    await replace(editor, 'use source "give-back.c"', 'use source "no-such-file.c"');
    await message('nothing', later);
  });

  it('leads from a page to its history, and from there to the step and the C line', async () => {
    const editor = await open('give-back.snpscenario');
    const uri = editor.document.uri.toString();
    const { story } = await openMap(editor);
    maps.say(uri, { type: 'details', id: 77, lane: 0, page: 0x40011, state: story.steps.length });
    const { id, details } = (await message('details', heard.length)) as Extract<ToPage, { type: 'details' }>;
    assert.equal(id, 77);
    assert.equal(details?.title, 'pfn 0x40011');
    const frame = details?.history[0]?.frames.find((one) => one.uri.endsWith('.c'));
    assert.ok(frame);
    maps.say(uri, { type: 'reveal', uri: frame.uri, line: frame.line });
    await until(
      () =>
        vscode.window.activeTextEditor?.document.uri.toString() === vscode.Uri.parse(frame.uri).toString() &&
        vscode.window.activeTextEditor.selection.active.line === frame.line,
      `${frame.uri} to be shown at line ${frame.line}`,
    );
    const back = lineOf(editor.document, '4K, SHARED');
    maps.say(uri, { type: 'reveal', uri, line: back });
    await until(
      () =>
        vscode.window.activeTextEditor?.document.uri.toString() === uri &&
        vscode.window.activeTextEditor.selection.active.line === back,
      'the step to be shown',
    );
    // The map follows to the step it came from.
    await until(
      () => heard.some(({ message: m }) => m.type === 'position' && 'position' in m && m.position.state === 2),
      'the map to follow',
    );
    // Scrubbing takes the cursor along, and the cursor does not take the map back.
    const from = heard.length;
    maps.say(uri, { type: 'position', state: 1 });
    const first = lineOf(editor.document, '0..2M, PRIVATE');
    await until(() => vscode.window.activeTextEditor?.selection.active.line === first, 'the cursor on the first step');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(!heard.slice(from + 1).some(({ message: m }) => m.type === 'position'), 'no echo');
  });

  it('is a page like any other: hidden it is forgotten, shown it asks again', async () => {
    const editor = await open('give-back.snpscenario');
    await openMap(editor);
    await vscode.window.showTextDocument(editor.document, { viewColumn: vscode.ViewColumn.Two });
    const from = heard.length;
    await vscode.commands.executeCommand('snpScenario.openMap', editor.document.uri);
    await message('ready', from);
    const { story } = await message('story', from);
    assert.equal(story.steps.length, 2);
  });

  it('follows the debugger step by step, and takes it along', async () => {
    const editor = await open('give-back.snpscenario');
    const uri = editor.document.uri.toString();
    await openMap(editor);
    cursorTo(editor, lineOf(editor.document, '0..2M, PRIVATE'));
    let from = heard.length;
    const folder = vscode.workspace.workspaceFolders?.[0];
    await vscode.debug.startDebugging(folder, {
      type: 'snpscenario',
      request: 'launch',
      name: 'map',
      program: editor.document.uri.fsPath,
      stopOnEntry: true,
    });
    const stands = async (state: number): Promise<Extract<ToPage, { type: 'position' }>['position']> => {
      // With the story, where it was fetched while the debugger stood still.
      const position = () =>
        heard
          .slice(from)
          .flatMap(({ message: m }) => ('position' in m && m.position?.by === 'debugger' ? [m.position] : []))
          .at(-1);
      await until(() => position()?.state === state, `the debugger at state ${state}`);
      return position() as NonNullable<ReturnType<typeof position>>;
    };
    await message('story', from);
    await stands(0);
    const step = async (command: string, state: number) => {
      from = heard.length;
      await vscode.commands.executeCommand(command);
      return stands(state);
    };
    // `let` is an instruction too.
    await step('workbench.action.debug.stepOver', 0);
    await step('workbench.action.debug.stepOver', 1);
    await screenshot('map-debugging');
    from = heard.length;
    maps.say(uri, { type: 'position', state: 2 });
    await stands(2);
    from = heard.length;
    maps.say(uri, { type: 'position', state: 0 });
    await stands(0);
    const stack = await vscode.debug.activeDebugSession?.customRequest('stackTrace', { threadId: 1 });
    assert.equal(stack.stackFrames[0].line - 1, lineOf(editor.document, 'let page'));
    from = heard.length;
    await vscode.debug.stopDebugging();
    // The language server tells the story again.
    await message('story', from);
  });

  it('takes a click: on a step to its line, on a page to its history', async () => {
    const folder = vscode.workspace.workspaceFolders?.[0] as vscode.WorkspaceFolder;
    await vscode.commands.executeCommand('workbench.action.closeSidebar');
    await vscode.commands.executeCommand('workbench.action.closePanel');
    const editor = await open('examples/unshare-one-page.snpscenario');
    assert.ok(folder);
    const { story } = await openMap(editor);
    const last = story.steps.at(-1);
    assert.ok(last);
    cursorTo(editor, last.line);
    const looked = await inWebview({ selector: '.step-line' });
    if (looked === undefined) return;
    await until(
      () =>
        heard.some(
          ({ message: m }) => m.type === 'position' && 'position' in m && m.position.state === story.steps.length,
        ),
      'the map to follow the cursor',
    );
    cursorTo(editor, 0);
    const [step] = (await inWebview({ selector: 'button.step-line', click: true })) ?? [];
    const line = Number(/\d+/.exec(step ?? '')?.[0]) - 1;
    await until(
      () => vscode.window.activeTextEditor?.selection.active.line === line,
      `the cursor in line ${line + 1}, which was clicked`,
    );
    // The 2M region, and in it the page that was given back.
    await inWebview({ selector: '.map-canvas', click: { x: 150, y: 70 } });
    const from = heard.length;
    await inWebview({ selector: '.lens', click: { x: 132, y: 4 } });
    await until(
      () => heard.slice(from).some(({ message: m }) => m.type === 'details' && 'details' in m),
      'the details of the page',
    );
    const asked = heard.slice(from).map(({ message: m }) => (m.type === 'details' && 'page' in m ? m.page : undefined));
    assert.ok(asked.includes(0x40010), asked.join());
    assert.equal((await inWebview({ selector: '.page-title' }))?.[0], 'pfn 0x40010');
    const history = (await inWebview({ selector: '.history .what' })) ?? [];
    assert.ok(history.includes('PSMASH: split into 512 entries of 4K'), history.join('\n'));
    await screenshot('map-page');
  });
});
