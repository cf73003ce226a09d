/** The bundled kernel models: C of our own, embedded at build time. */
import type { CSource } from '../c/program.ts';
import { libraryFiles } from '../generated/library.ts';
import { modelFiles } from '../generated/models.ts';
import { kvm612 } from './kvm-6.12/model.ts';
import { kvmRfcV8 } from './kvm-rfc-v8/model.ts';

/** What a model says about itself; stands in `<model>/model.ts`. */
export interface ModelManifest {
  /** As in `use kernel "…"`; also its folder. */
  name: string;
  description: string;
  /** RMPUPDATE happens when the attribute changes (RFC v8), not at the first fault (guest_memfd). */
  eagerRmp: boolean;
  /** Rules that the kernel as posted breaks wherever it goes: not repeated on every step while these functions are the bundled ones. */
  knownDefects?: readonly KnownDefect[];
}

export interface KnownDefect {
  rule: string;
  /** The functions that are at fault; once the user's own C replaces one of them, the rule speaks. */
  functions: readonly string[];
}

export interface KernelModel extends ModelManifest {
  sources: CSource[];
  /** By include name. */
  headers: Map<string, CSource>;
}

/** Paths of bundled sources begin with this; their text comes from {@link modelText}. */
export const MODEL_SCHEME = 'model:';

export const kernelModels: readonly KernelModel[] = [load(kvmRfcV8), load(kvm612)];

function load(manifest: ModelManifest): KernelModel {
  const sources: CSource[] = [];
  const headers = new Map<string, CSource>();
  // The model's own headers shadow the common ones.
  for (const folder of ['include/', `${manifest.name}/include/`]) {
    for (const [path, text] of Object.entries(modelFiles)) {
      if (path.startsWith(folder) && path.endsWith('.h'))
        headers.set(path.slice(folder.length), { path: MODEL_SCHEME + path, text });
    }
  }
  for (const [path, text] of Object.entries(modelFiles)) {
    if (path.startsWith(`${manifest.name}/`) && path.endsWith('.c')) sources.push({ path: MODEL_SCHEME + path, text });
  }
  return { ...manifest, sources, headers };
}

/** Text of a bundled source or sequence library, for `model:` paths. */
export function modelText(path: string): string | undefined {
  const name = path.slice(MODEL_SCHEME.length);
  if (!path.startsWith(MODEL_SCHEME)) return undefined;
  for (const files of [modelFiles, libraryFiles]) if (Object.hasOwn(files, name)) return files[name];
  return undefined;
}
