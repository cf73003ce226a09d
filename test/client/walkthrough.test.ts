// The walkthrough of package.json: what VS Code would only complain of in its console.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const { contributes } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const commands: string[] = contributes.commands.map(({ command }: { command: string }) => command);

interface Step {
  id: string;
  description: string;
  media: { markdown: string };
  completionEvents?: string[];
}
const steps: Step[] = contributes.walkthroughs.flatMap((one: { steps: Step[] }) => one.steps);

/** https://code.visualstudio.com/api/references/contribution-points#contributes.walkthroughs, completion events. */
const events = /^(?:onCommand|onLink|onView|onSettingChanged|onContext):.|^onStepSelected$/;

test('each step has its page, commands that exist, and is completed by events that VS Code knows', () => {
  for (const { id, description, media, completionEvents } of steps) {
    assert.ok(existsSync(join(root, media.markdown)), media.markdown);
    const named = [
      ...description.matchAll(/command:(snpScenario\.\w+)/g),
      ...(completionEvents ?? []).join('\n').matchAll(/^onCommand:(snpScenario\.\w+)$/gm),
    ];
    for (const [, command] of named) assert.ok(commands.includes(command), `${id}: ${command}`);
    for (const event of completionEvents ?? []) assert.match(event, events, id);
  }
});

test('the memory map has a step of its own', () => {
  assert.ok(steps.some(({ completionEvents }) => completionEvents?.includes('onCommand:snpScenario.openMap')));
});
