/** Completion within `host { … }` and `guest g { … }`: settings, their values, options. */
import { hardwareOption, hardwareOptionTable } from '../hardware/options.ts';
import { kernelOption, kernelOptionTable } from '../kernel/kernel-options.ts';
import { GUEST_SETTINGS, HOST_SETTINGS, SLOT_SETTINGS } from '../scenario/settings.ts';
import type { At } from './complete.ts';
import type { Completion } from './completion.ts';
import type { Expected } from './expected.ts';

/** What is written behind a setting's name, with a placeholder. */
const VALUES: Readonly<Record<string, string>> = {
  'host.memory': `\${1|4G,2G,8G,16G|}`,
  'host.cpus': `\${1:4}`,
  'host.rmp': `\${1:1M..17M}`,
  'host.segment': `\${1:16M} maps \${2:0..4G}`,
  'host.fixed': `\${1:16M..17M}`,
  'guest.asid': `\${1:1}`,
  'guest.vcpus': `\${1:2}`,
  'guest.snp': `\${1|on,off|}`,
  'guest.slot': `\${1:0} gpa \${2:0..1G} private folio \${3|2M,4K,1G|}`,
  'slot.gpa': `\${1:0..1G}`,
  'slot.folio': `\${1|2M,4K,1G|}`,
  'slot.pfn': `\${1:0x40000}`,
  'slot.offset': `\${1:4K}`,
};

export function completeSettings(expected: Extract<Expected, { is: 'setting' | 'slot-setting' }>): Completion[] {
  const block = expected.is === 'setting' ? expected.of : 'slot';
  const specs = block === 'host' ? HOST_SETTINGS : block === 'guest' ? GUEST_SETTINGS : SLOT_SETTINGS;
  const given = expected.is === 'slot-setting' ? expected.given : [];
  const taken = given.includes('private') || given.includes('shared') ? ['private', 'shared'] : [];
  return specs
    .filter(({ name }) => !given.includes(name) && !taken.includes(name))
    .map((spec): Completion => {
      const value = VALUES[`${block}.${spec.name}`];
      const opens = spec.name === 'option' || value !== undefined;
      return {
        label: spec.name,
        kind: 'setting',
        detail: spec.written,
        doc: `setting:${block}.${spec.name}`,
        rank: 0,
        insert: opens ? `${spec.name} ` : spec.name,
        ...(value === undefined ? {} : { snippet: `${spec.name} ${value}` }),
        ...(opens ? { goesOn: true as const } : {}),
      };
    });
}

const SETTING_VALUES: Readonly<Record<string, readonly string[]>> = {
  'host.memory': ['2G', '4G', '8G', '16G', '64G', '1T'],
  'host.cpus': ['1', '2', '4', '64'],
  'host.rmp': ['2G', '1M..17M'],
  'host.fixed': ['16M..17M'],
  'guest.asid': ['1', '2'],
  'guest.vcpus': ['1', '2', '4'],
  'guest.snp': ['on', 'off'],
  'slot.gpa': ['0..1G', '0..2G', '4G..5G'],
  'slot.folio': ['4K', '2M', '1G', 'order'],
  'slot.pfn': ['0x40000', '0x80000'],
  'slot.offset': ['4K', '2M'],
};

export function completeSettingValue(at: At, expected: Extract<Expected, { is: 'setting-value' }>): Completion[] {
  const key = `${expected.of}.${expected.name}`;
  if (key === 'guest.slot') {
    const used = [...(at.cursor.blockNode === undefined ? '' : blockText(at)).matchAll(/\bslot\s+(\d+)/g)].map((m) =>
      Number(m[1]),
    );
    let id = 0;
    while (used.includes(id)) id++;
    return [{ label: String(id), kind: 'value', detail: 'the next id that is free', rank: 0 }];
  }
  const values = Object.hasOwn(SETTING_VALUES, key) ? SETTING_VALUES[key] : [];
  return values.map((label, rank) => ({
    label,
    kind: /^\d/.test(label) ? 'value' : 'keyword',
    rank,
    ...(label === 'order' ? { insert: 'order ', detail: 'log2 of the folio in pages' } : {}),
  }));
}

const blockText = ({ analysis, cursor }: At): string =>
  analysis.text.slice(cursor.blockNode?.from ?? 0, cursor.word.from);

const shown = (value: unknown): string => (value === true ? 'on' : value === false ? 'off' : String(value));

export function completeOptions(): Completion[] {
  const rows = [
    ...hardwareOptionTable.map(({ name, doc, values }) => ({
      name,
      doc,
      values: (values as readonly unknown[]).map(shown),
      rank: 0,
    })),
    ...kernelOptionTable.map(({ name, doc, kind }) => ({
      name,
      doc,
      values: kind === 'flag' ? ['on', 'off'] : [],
      rank: 1,
    })),
  ];
  return rows.map(({ name, doc, values, rank }) => ({
    label: name,
    kind: 'option',
    detail: doc,
    doc: `option:${name}`,
    insert: `${name} = `,
    ...(values.length === 0 ? { snippet: `${name} = \${1:0}` } : { snippet: `${name} = \${1|${values.join(',')}|}` }),
    rank,
    goesOn: true,
  }));
}

export function completeOptionValue(name: string): Completion[] {
  const row = hardwareOption(name) ?? kernelOption(name);
  if (row === undefined) return [];
  const isDefault = (value: unknown): boolean =>
    value === row.default || (typeof value === 'boolean' && Number(value) === row.default);
  const values: readonly unknown[] = 'values' in row ? row.values : row.kind === 'flag' ? [true, false] : [0];
  return values.map((value, rank) => ({
    label: shown(value),
    kind: 'word',
    detail: isDefault(value) ? 'default' : '',
    rank,
  }));
}
