// The pages that come with the extension: the language, and what each rule means.
// Commands: SNP Scenario: Open Language Reference, SNP Scenario: Explain a Rule….

import { commands, type Diagnostic, type ExtensionContext, languages, Uri, window, workspace } from 'vscode';

export function activate(context: ExtensionContext): void {
  const docs = Uri.joinPath(context.extensionUri, 'docs');
  context.subscriptions.push(
    commands.registerCommand('snpScenario.openLanguageReference', () => show(Uri.joinPath(docs, 'language.md'))),
    commands.registerCommand('snpScenario.openRule', async (rule?: unknown) => {
      const id = typeof rule === 'string' ? rule : await pickRule(docs);
      if (id !== undefined) await show(Uri.joinPath(docs, 'rules', `${encodeURIComponent(id)}.md`));
    }),
  );
}

const show = (page: Uri): Thenable<unknown> => commands.executeCommand('markdown.showPreview', page);

/** Rules of the problems at the cursor's line come first. */
async function pickRule(docs: Uri): Promise<string | undefined> {
  const here = rulesAtCursor();
  const pages = (await workspace.fs.readDirectory(Uri.joinPath(docs, 'rules')))
    .map(([name]) => /^(.*)\.md$/.exec(name)?.[1])
    .filter((rule) => rule !== undefined);
  const rules = [...pages.filter((rule) => here.has(rule)), ...pages.filter((rule) => !here.has(rule))];
  const items = rules.map(async (label) => ({
    label,
    description: here.has(label) ? 'at the cursor' : '',
    detail: await sentence(Uri.joinPath(docs, 'rules', `${label}.md`)),
  }));
  const picked = await window.showQuickPick(Promise.all(items), {
    title: 'Explain a Rule',
    placeHolder: 'Id of the rule, as problems show it',
    matchOnDetail: true,
  });
  return picked?.label;
}

function rulesAtCursor(): ReadonlySet<string> {
  const editor = window.activeTextEditor;
  if (editor === undefined) return new Set();
  const { line } = editor.selection.active;
  const problems = languages.getDiagnostics(editor.document.uri).filter(({ range }) => {
    return range.start.line <= line && line <= range.end.line;
  });
  return new Set(problems.map(ruleOf));
}

function ruleOf({ code }: Diagnostic): string {
  return String(typeof code === 'object' ? code.value : code);
}

/** The rule in one sentence: the first line in bold of its page. */
async function sentence(page: Uri): Promise<string> {
  const text = new TextDecoder().decode(await workspace.fs.readFile(page));
  return (/^\*\*(.+)\*\*$/m.exec(text)?.[1] ?? '').replaceAll('`', '');
}
