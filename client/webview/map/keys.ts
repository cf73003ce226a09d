// Every key of the map, in one table: what runs them and what the help lists.

export interface KeyBinding {
  /** `KeyboardEvent.key`; with `Shift+` where it matters. */
  readonly keys: readonly string[];
  /** As the help writes them. */
  readonly shown: string;
  readonly does: string;
  readonly group: 'Move' | 'Look' | 'Time' | 'Find' | 'Panel';
  /** Only when the lanes have the keyboard: elsewhere these keys mean something else. */
  readonly onMap?: true;
  readonly run: () => void;
}

/** The binding that a key event is for. Keys with Ctrl, Alt or Meta are VS Code's. */
export function bindingOf(
  bindings: readonly KeyBinding[],
  event: KeyboardEvent,
  onMap: boolean,
): KeyBinding | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const wanted = event.shiftKey && (event.key.length > 1 || pressed !== event.key) ? `Shift+${pressed}` : pressed;
  return bindings.find(({ keys, onMap: only }) => (!only || onMap) && keys.includes(wanted));
}
