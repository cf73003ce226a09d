// The library's controls, each given a name that a screen reader says and a tooltip that tells its key.

import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import type { VscodeSingleSelect } from '@vscode-elements/elements/dist/vscode-single-select/index.js';
import type { VscodeTextfield } from '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { VscodeToolbarButton } from '@vscode-elements/elements/dist/vscode-toolbar-button/index.js';
import { element, icon } from './dom.ts';

export type ToolbarButton = VscodeToolbarButton;

/** A button with an icon. @param key said in its tooltip */
export function toolbarButton(label: string, path: string, key: string, run: () => void): ToolbarButton {
  const button = element(
    'vscode-toolbar-button',
    { label, title: key ? `${label} (${key})` : label, click: run },
    icon(path),
  );
  return button as ToolbarButton;
}

/** A button that stays down. Its user sets `checked`. */
export function toggleButton(label: string, path: string, key: string, run: () => void): ToolbarButton {
  const button = toolbarButton(label, path, key, run);
  button.toggleable = true;
  return button;
}

export function textField(label: string, placeholder: string): VscodeTextfield {
  const field = element('vscode-textfield', { label, placeholder }) as VscodeTextfield;
  field.label = label;
  return field;
}

export function select(label: string): VscodeSingleSelect {
  const chooser = element('vscode-single-select') as VscodeSingleSelect;
  chooser.label = label;
  return chooser;
}
