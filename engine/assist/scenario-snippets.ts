/**
 * Whole scenarios to begin with, offered at the top of a file. Each is complete: with its placeholders as they stand it runs and passes, and a test sees
 * to that. GUEST stands for the guest's name; declarations that the file lacks go in front.
 */
export interface ScenarioSnippet {
  label: string;
  doc: string;
  /** Libraries whose sequences it calls. */
  imports?: readonly string[];
  /** The kernel that it is about, if it is about one. */
  kernel?: string;
  /** The settings of the guest that it is made for. */
  guest: string;
  body: string;
}

const FOLIO_2M = 'asid 1\n  slot 0 gpa 0..1G private folio 2M pfn 0x40000';
const FOLIO_4K = 'asid 1\n  slot 0 gpa 0..1G private';

export const scenarioSnippets: readonly ScenarioSnippet[] = [
  {
    label: 'scenario: make 2M private',
    doc: 'A 2M folio becomes private with one RMPUPDATE, the guest validates it with one PVALIDATE.',
    guest: FOLIO_2M,
    body: `scenario "\${1:make 2M private}" {
  vmm.set_memory_attributes(GUEST, \${2:0..2M}, PRIVATE)
  GUEST.pvalidate(\${3:0}, 2M)
  expect rmp(GUEST, \${3:0}) is { guest GUEST, 2M, validated }
  $0
}`,
  },
  {
    label: 'scenario: share one page of 2M',
    doc: 'One page of a private 2M folio becomes shared: KVM has to PSMASH the entry first, and the other 511 keep what the guest has validated.',
    guest: FOLIO_2M,
    body: `scenario "\${1:share one page of a 2M folio}" {
  vmm.set_memory_attributes(GUEST, 0..2M, PRIVATE)
  GUEST.pvalidate(0, 2M)
  vmm.set_memory_attributes(GUEST, \${2:64K +4K}, SHARED)
  expect count(psmash) is 1
  expect rmp(GUEST, \${3:64K}) is shared
  expect rmp(GUEST, \${4:68K}) is { guest GUEST, 4K, validated }
  $0
}`,
  },
  {
    label: 'scenario: guest converts in the order of Linux',
    doc: 'A Linux guest asks for private memory with a page state change and validates it, then takes the validation back and asks for shared.',
    imports: ['snp:linux-guest'],
    guest: FOLIO_4K,
    body: `scenario "\${1:page state changes as Linux makes them}" {
  linux_set_memory_encrypted_4k(GUEST, \${2:0..64K})
  expect all \${2:0..64K} rmp(GUEST) is validated
  linux_set_memory_decrypted_4k(GUEST, \${2:0..64K})
  expect all \${2:0..64K} rmp(GUEST) is shared
  $0
}`,
  },
  {
    label: 'scenario: launch update',
    doc: 'The VMM adds initial memory with SNP_LAUNCH_UPDATE; the firmware leaves it validated. Of kvm-6.12, which launches guests.',
    kernel: 'kvm-6.12',
    guest: FOLIO_4K,
    body: `scenario "\${1:launch}" {
  vmm.set_memory_attributes(GUEST, \${2:0..64K}, PRIVATE)
  vmm.launch_update(GUEST, \${2:0..64K}, \${3|NORMAL,ZERO,UNMEASURED|})
  vmm.launch_finish(GUEST)
  expect state(GUEST, 0) is GUEST_VALID
  $0
}`,
  },
  {
    label: 'scenario: raw RMP instructions',
    doc: 'RMPUPDATE, PVALIDATE and PSMASH by hand, past the kernel.',
    guest: FOLIO_2M,
    body: `scenario "\${1:raw instructions}" {
  cpu.rmpupdate(pfn(GUEST, 0), gpa 0, asid 1, 2M, assigned)
  expect rmp(GUEST, 0) is { guest GUEST, 2M, not validated }
  cpu.psmash(pfn(GUEST, 0))
  expect rmp(GUEST, \${2:4K}) is { guest GUEST, 4K }
  cpu.rmpupdate(pfn(GUEST, 4K))
  expect rmp(GUEST, 4K) is shared
  $0
}`,
  },
  {
    label: 'scenario: a host write is refused',
    doc: 'The host kernel writes to a page that belongs to the guest.',
    guest: FOLIO_2M,
    body: `scenario "\${1:the host writes to private memory}" {
  vmm.set_memory_attributes(GUEST, 0..2M, PRIVATE)
  host.write(pfn(GUEST, \${2:0}))  => #PF
  $0
}`,
  },
];

/** A snippet for a file: with what is missing in front. `guest`: the name of the file's first guest, if it has one. */
export function scenarioSnippet(
  snippet: ScenarioSnippet,
  guest: string | undefined,
  imported: (library: string) => boolean,
  hasKernel: boolean,
): string {
  const head = (snippet.imports ?? []).filter((name) => !imported(name)).map((name) => `import "${name}"\n`);
  if (snippet.kernel !== undefined && !hasKernel) head.unshift(`use kernel "${snippet.kernel}"\n`);
  const declared = guest === undefined ? `guest g {\n  ${snippet.guest}\n}\n\n` : '';
  const text = `${head.join('')}${head.length > 0 ? '\n' : ''}${declared}${snippet.body}`;
  // Page states have the word in their names.
  return text.replaceAll(/\bGUEST\b/g, guest ?? 'g');
}
