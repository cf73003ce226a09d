// LSP's framing over byte streams: a header with Content-Length, an empty line, JSON. Ours instead of the library's because it recovers:
// after a bad header, an absurd length or a body that is no JSON, it finds the next header and goes on, whatever lies between.

import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageReader,
  type MessageWriter,
} from 'vscode-languageserver/node';

/** Bytes. Nothing that an editor sends is this long; a length beyond it is a broken header. */
const longestBody = 256 * 1024 * 1024;
/** Bytes without an empty line after which they cannot be a header. */
const longestHeader = 16 * 1024;

export class FrameReader extends AbstractMessageReader implements MessageReader {
  readonly #input: NodeJS.ReadableStream;
  readonly #malformed: (what: string) => void;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Of the body that is being waited for; undefined while waiting for a header. */
  #length: number | undefined;

  /** @param malformed told what was wrong with bytes that are skipped */
  constructor(input: NodeJS.ReadableStream, malformed: (what: string) => void) {
    super();
    this.#input = input;
    this.#malformed = malformed;
  }

  listen(callback: DataCallback): Disposable {
    const onData = (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#read(callback);
    };
    this.#input.on('data', onData);
    this.#input.on('error', (error) => this.fireError(error));
    this.#input.on('close', () => this.fireClose());
    return { dispose: () => this.#input.off('data', onData) };
  }

  #read(callback: DataCallback): void {
    for (;;) {
      if (this.#length === undefined && !this.#readHeader()) return;
      if (this.#length === undefined) continue; // it was malformed
      if (this.#size < this.#length) return; // chunks are joined once, when all are here
      const body = this.#take(this.#length);
      this.#length = undefined;
      let message: unknown;
      try {
        message = JSON.parse(body.toString('utf8'));
      } catch (error) {
        this.#malformed(error instanceof Error ? error.message : String(error));
        continue;
      }
      callback(message as Message);
    }
  }

  /** Takes a header away, malformed or not; false if it is not complete yet. */
  #readHeader(): boolean {
    if (this.#size === 0) return false;
    const bytes = this.#joined();
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      if (bytes.length > longestHeader) {
        this.#malformed(`${bytes.length} bytes without the end of a header`);
        // The last of them may be the beginning of a header.
        this.#take(bytes.length - longestHeader / 4);
      }
      return false;
    }
    const header = this.#take(end + 4).toString('latin1');
    // The last one counts: what is before it are the remains of a message whose length was wrong.
    const lengths = [...header.matchAll(/content-length:[ \t]*([^\r\n]*)/gi)];
    const length = lengths.at(-1)?.[1]?.trim() ?? '';
    if (!/^\d+$/.test(length)) this.#malformed(length ? `Content-Length ${length}` : 'a header without Content-Length');
    else if (Number(length) > longestBody) this.#malformed(`Content-Length ${length} is absurd`);
    else this.#length = Number(length);
    return true;
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  #take(size: number): Buffer {
    const bytes = this.#joined();
    const rest = bytes.subarray(size);
    this.#chunks = rest.length ? [rest] : [];
    this.#size = rest.length;
    return bytes.subarray(0, size);
  }
}

/** One write for each message. */
export class FrameWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #write: (text: string, done: (error?: Error | null) => void) => void;

  constructor(write: (text: string, done: (error?: Error | null) => void) => void) {
    super();
    this.#write = write;
  }

  write(message: Message): Promise<void> {
    const body = JSON.stringify(message);
    return new Promise((resolve, reject) => {
      this.#write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, (error) => {
        if (!error) return resolve();
        this.fireError(error, message, 1);
        reject(error);
      });
    });
  }

  end(): void {}
}
