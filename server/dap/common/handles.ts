// Numbers for things with rows in them, as the protocol wants them. They hold until the session moves.

import type { Container } from './rows.ts';

export class Handles {
  #containers: Container[] = [];

  /** 0 for nothing to open. */
  reference(inside: Container | undefined): number {
    return inside === undefined ? 0 : this.#containers.push(inside);
  }

  get(reference: number): Container | undefined {
    return this.#containers[reference - 1];
  }

  forget(): void {
    this.#containers = [];
  }
}
