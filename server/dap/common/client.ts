// The other end: how it counts lines and what it can take, and everything that is sent to it.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Location } from '../../../engine/base/diagnostic.ts';
import type { Args } from './requests.ts';
import type { Sources } from './sources.ts';

/** What the engine counts from 0 and the client may count from 1. */
interface Place {
  line?: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
}

/** What a client can say it takes, beyond answers. */
type Taken = 'supportsInvalidatedEvent' | 'supportsMemoryEvent';

export class Client {
  readonly sources: Sources;
  readonly #send: (message: DebugProtocol.ProtocolMessage) => void;
  #seq = 1;
  #announced: Args = {};
  #firstLine = 1;
  #firstColumn = 1;
  readonly #afterwards: (() => void)[] = [];

  constructor(send: (message: DebugProtocol.ProtocolMessage) => void, sources: Sources) {
    this.#send = send;
    this.sources = sources;
  }

  /** The arguments of `initialize`. */
  introduce(args: Args): void {
    this.#announced = args;
    this.#firstLine = args.linesStartAt1 === false ? 0 : 1;
    this.#firstColumn = args.columnsStartAt1 === false ? 0 : 1;
    this.sources.byUri = args.pathFormat === 'uri';
  }

  takes(what: Taken): boolean {
    return this.#announced[what] === true;
  }

  // ---------------------------------------------------------------- counting

  fromLine(line: number): number {
    return line - this.#firstLine;
  }

  toLine(line: number): number {
    return line + this.#firstLine;
  }

  fromColumn(column: number): number {
    return column - this.#firstColumn;
  }

  /** A thing with lines and columns from 0, in the client's counting. */
  place<T extends Place>(place: T): T {
    return {
      ...place,
      ...(place.line === undefined ? {} : { line: place.line + this.#firstLine }),
      ...(place.column === undefined ? {} : { column: place.column + this.#firstColumn }),
      ...(place.endLine === undefined ? {} : { endLine: place.endLine + this.#firstLine }),
      ...(place.endColumn === undefined ? {} : { endColumn: place.endColumn + this.#firstColumn }),
    };
  }

  // ---------------------------------------------------------------- sending

  post(message: object): void {
    this.#send({ seq: this.#seq++, ...message } as DebugProtocol.ProtocolMessage);
  }

  event(event: string, body?: object): void {
    this.post({ type: 'event', event, ...(body === undefined ? {} : { body }) });
  }

  output(output: string, category: 'console' | 'important' | 'stdout' | 'stderr', location?: Location): void {
    const at =
      location === undefined
        ? {}
        : {
            source: this.sources.toClient(location.path),
            line: location.range.start.line + this.#firstLine,
            column: location.range.start.character + this.#firstColumn,
          };
    this.event('output', { category, output, ...at });
  }

  /** Done once the request at hand has been answered: what follows from a request comes after its answer. */
  afterwards(work: () => void): void {
    this.#afterwards.push(work);
  }

  /** Never throws. */
  flush(): void {
    for (const next of this.#afterwards.splice(0)) {
      try {
        next();
      } catch (error) {
        this.bug(error);
      }
    }
  }

  /** An exception is a mistake of ours; the session goes on, and the user can tell us. */
  bug(error: unknown): void {
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.output(`Internal error, please report it: ${words}\n`, 'stderr');
  }
}
