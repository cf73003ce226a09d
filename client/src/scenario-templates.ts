// What a new scenario can begin with: whole documents with places to fill in, in VS Code's snippet syntax. Each is a scenario that holds as it stands.

export interface ScenarioTemplate {
  readonly label: string;
  readonly description: string;
  readonly body: string;
}

/** @param folio how the guest's memory is backed */
const setting = (folio: string): string => `host {
  memory 4G
  cpus 4
}

guest g {
  asid 1
  slot 0 gpa 0..1G private folio ${folio} pfn 0x40000
}
`;

// biome-ignore lint/suspicious/noTemplateCurlyInString: VS Code's own syntax, a choice
const anyFolio = setting('${1|2M,4K|}');

export const scenarioTemplates: readonly ScenarioTemplate[] = [
  {
    label: 'Page-state conversion',
    description: 'KVM makes a range private, the guest validates and uses it, a page of it is shared again.',
    body: `use kernel "kvm-rfc-v8"

${anyFolio}
/// \${2:What this shows.}
scenario "\${3:a page is shared again}" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  for page in 0..2M step 4K {
    g.pvalidate(page, 4K)
  }
  vmm.set_memory_attributes(g, 64K +4K, SHARED)

  expect rmp(g, 64K) is shared
  expect rmp(g, 68K) is { guest g, 4K, validated }
  host.write(pfn(g, 68K))  => #PF(RMP)
  $0
}
`,
  },
  {
    label: 'Raw RMP instructions',
    description: 'RMPUPDATE, PSMASH and PVALIDATE by hand, with no kernel in between.',
    body: `${anyFolio}
/// \${2:What this shows.}
scenario "\${3:a 2M entry is split}" {
  cpu.rmpupdate(pfn(g, 0), gpa 0, asid 1, 2M, assigned)
  cpu.psmash(pfn(g, 0))
  expect rmp(pfn(g, 4K)) is { asid 1, gpa 4K, 4K, assigned }
  $0
}
`,
  },
  {
    label: 'A patch under test',
    description: "Your own patch's functions in place of the kernel model's.",
    body: `use kernel "kvm-rfc-v8"
// Functions that the patch adds replace those of the model by name.
// use patch "\${4:my.patch}"

${anyFolio}
/// \${2:What the patch should do.}
scenario "\${3:a 2M folio becomes private}" {
  vmm.set_memory_attributes(g, 0..2M, PRIVATE)
  expect all 0..2M attr(g) is private
  expect all 0..2M rmp(g) is { guest g }
  $0
}
`,
  },
  {
    label: 'What a Linux guest does',
    description: 'Sharing a page for DMA and taking it back, with the sequences of a Linux guest.',
    body: `use kernel "kvm-rfc-v8"
import "snp:linux-guest"

${setting('2M')}
/// \${2:What this shows.}
scenario "\${3:a page for DMA, and back}" {
  linux_set_memory_encrypted_2m(g, 0..2M)
  linux_set_memory_decrypted_4k(g, 64K +4K)
  dev.write(pfn(g, 64K))
  linux_set_memory_encrypted_4k(g, 64K +4K)
  expect all 0..2M rmp(g) is { guest g, 4K, validated }
  $0
}
`,
  },
];
