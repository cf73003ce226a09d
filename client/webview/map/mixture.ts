// How many pages of each id: the answer to what a stretch of pages is. One is reused for many questions.

export class Mixture {
  /** The ids that occur, in the order they were met. */
  readonly ids: number[] = [];
  #counts = new Float64Array(64);

  clear(): void {
    for (const id of this.ids) this.#counts[id] = 0;
    this.ids.length = 0;
  }

  add(id: number, pages: number): void {
    if (id >= this.#counts.length) {
      const grown = new Float64Array(Math.max(id + 1, this.#counts.length * 2));
      grown.set(this.#counts);
      this.#counts = grown;
    }
    if (this.#counts[id] === 0) this.ids.push(id);
    this.#counts[id] += pages;
  }

  /** Pages of an id. */
  count(id: number): number {
    return this.#counts[id] ?? 0;
  }
}
