// `readMemory` and `writeMemory`: the RMP as raw bytes, 16 for each page of 4K, counted from the entry of pfn 0.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../../engine/base/text.ts';
import type { Watched } from '../../../engine/debug/data-watch.ts';
import type { DebugSession } from '../../../engine/debug/session.ts';
import { rmpReference } from './page-rows.ts';
import { type Args, count, flag, RequestError, text } from './requests.ts';

/** Bytes of an RMP entry. */
const ENTRY = 16;
/** Bytes read at once. */
const MOST_BYTES = 1 << 20;

export class RmpMemory {
  readonly #session: DebugSession;

  constructor(session: DebugSession) {
    this.#session = session;
  }

  get #size(): number {
    return this.#session.machine.hardware.rmp.coveredPages * ENTRY;
  }

  /** What may have changed when something was written: the whole table, since one write can reach far. */
  all(): DebugProtocol.MemoryEvent['body'] {
    return { memoryReference: rmpReference(0), offset: 0, count: this.#size };
  }

  read(args: Args): DebugProtocol.ReadMemoryResponse['body'] {
    const at = this.#address(args);
    const asked = count(args, 'count');
    if (asked < 0) throw new RequestError('The argument count must not be negative.');
    const wanted = Math.min(asked, MOST_BYTES);
    const { rmp } = this.#session.machine.hardware;
    const from = Math.max(0, at);
    const bytes: string[] = [];
    for (let i = from; i < Math.min(at + wanted, this.#size); i++) {
      const word = rmp.word(Math.floor(i / ENTRY), Math.floor((i % ENTRY) / 4));
      bytes.push(String.fromCharCode((word >>> ((i % 4) * 8)) & 0xff));
    }
    const unreadable = wanted - bytes.length;
    return {
      address: hex(from),
      data: btoa(bytes.join('')),
      ...(unreadable > 0 ? { unreadableBytes: unreadable } : {}),
    };
  }

  write(args: Args): DebugProtocol.WriteMemoryResponse['body'] {
    const at = this.#address(args);
    let data: string;
    try {
      data = atob(text(args, 'data'));
    } catch (error) {
      if (error instanceof RequestError) throw error;
      throw new RequestError('The argument data must be in base64.');
    }
    const { hardware } = this.#session.machine;
    const end = Math.min(at + data.length, this.#size);
    if (at < 0 || end <= at || (end < at + data.length && !flag(args, 'allowPartial'))) {
      if (data.length === 0) return { bytesWritten: 0 };
      throw new RequestError('This reaches beyond the RMP.');
    }
    this.#session.whatIf(() => {
      for (let pfn = Math.floor(at / ENTRY); pfn * ENTRY < end; pfn++) {
        const words = [0, 1, 2, 3].map((n) => hardware.rmp.word(pfn, n));
        for (let i = Math.max(at, pfn * ENTRY); i < Math.min(end, (pfn + 1) * ENTRY); i++) {
          const n = Math.floor((i % ENTRY) / 4);
          const shift = (i % 4) * 8;
          words[n] = ((words[n] & ~(0xff << shift)) | (data.charCodeAt(i - at) << shift)) >>> 0;
        }
        hardware.writeRaw(pfn as Parameters<typeof hardware.writeRaw>[0], words[0], words[1], words[2], words[3]);
      }
    });
    return { bytesWritten: end - at };
  }

  /** Byte in the table. */
  #address(args: Args): number {
    const base = byteOf(text(args, 'memoryReference'));
    if (base === undefined) throw new RequestError('This is no memory reference of an RMP entry.');
    const at = base + count(args, 'offset', 0);
    if (!Number.isSafeInteger(at)) throw new RequestError('The argument offset must be a whole number.');
    return at;
  }
}

/** `rmp:0x40000`: the entry of a pfn; `0x400000`: a byte of the table, as `readMemory` says where it read. */
function byteOf(reference: string): number | undefined {
  const match = /^rmp:(0x[0-9a-f]+)$/i.exec(reference);
  if (match !== null) return Number(match[1]) * ENTRY;
  return /^0x[0-9a-f]+$/i.test(reference) ? Number(reference) : undefined;
}

/** The pages whose entries these bytes are. */
export function watchedBytes(address: string, bytes: number): Watched | undefined {
  const at = byteOf(address.trim());
  if (at === undefined || !(bytes > 0) || !Number.isSafeInteger(at + bytes)) return undefined;
  return { kind: 'rmp', start: Math.floor(at / ENTRY), end: Math.ceil((at + bytes) / ENTRY) };
}
