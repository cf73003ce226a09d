// The map's story on the wire: JSON has no typed arrays, so they travel as base64 of their bytes, little endian. Both ends use this file; it knows no
// platform. A message of somebody else's is not trusted: what does not decode is an error with a reason.

import type { MapPosition, MapRuns, MapStory, MapStoryUpdate } from '../../engine/map/story.ts';

export interface EncodedRuns {
  lane: string;
  start: string;
  count: string;
  before: string;
  after: string;
}

/** A type with its typed arrays as text. */
export type Encoded<T> = T extends MapRuns
  ? EncodedRuns
  : T extends Uint32Array
    ? string
    : T extends readonly unknown[]
      ? T
      : T extends object
        ? { [K in keyof T]: Encoded<T[K]> }
        : T;

export type EncodedStory = Encoded<MapStory>;
export type EncodedUpdate = Encoded<MapStoryUpdate>;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) VALUES[CODES[i]] = i;

/** Characters made at once: String.fromCharCode takes only so many arguments. */
const PIECE = 0x6000;

export function encodeBytes(bytes: Uint8Array): string {
  const pieces: string[] = [];
  const piece = new Uint8Array(PIECE);
  let at = 0;
  const flush = (): void => {
    // Spread goes through an iterator, which is ten times as slow.
    pieces.push(String.fromCharCode.apply(null, piece.subarray(0, at) as unknown as number[]));
    at = 0;
  };
  for (let i = 0; i < bytes.length; i += 3) {
    const rest = bytes.length - i;
    const n = (bytes[i] << 16) | ((rest > 1 ? bytes[i + 1] : 0) << 8) | (rest > 2 ? bytes[i + 2] : 0);
    piece[at++] = CODES[n >>> 18];
    piece[at++] = CODES[(n >>> 12) & 63];
    piece[at++] = rest > 1 ? CODES[(n >>> 6) & 63] : EQUALS;
    piece[at++] = rest > 2 ? CODES[n & 63] : EQUALS;
    if (at === PIECE) flush();
  }
  flush();
  return pieces.join('');
}

const EQUALS = 0x3d;

/** Throws a RangeError for what is no base64. */
export function decodeBytes(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new RangeError('base64 has a multiple of 4 characters');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const value = (i: number): number => {
    const code = text.charCodeAt(i);
    if (code === EQUALS && i >= text.length - padding) return 0;
    const of = code < 128 ? VALUES[code] : -1;
    if (of < 0) throw new RangeError(`character ${i} is not one of base64`);
    return of;
  };
  for (let i = 0, at = 0; i < text.length; i += 4) {
    const n = (value(i) << 18) | (value(i + 1) << 12) | (value(i + 2) << 6) | value(i + 3);
    bytes[at++] = n >>> 16;
    if (at < bytes.length) bytes[at++] = (n >>> 8) & 0xff;
    if (at < bytes.length) bytes[at++] = n & 0xff;
  }
  return bytes;
}

/** Whether memory has the order of the wire already, as nearly everywhere. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

export function encodeWords(words: Uint32Array): string {
  if (LITTLE_ENDIAN) return encodeBytes(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setUint32(i * 4, words[i], true);
  return encodeBytes(bytes);
}

/** Throws a RangeError for what is no base64 of whole words. */
export function decodeWords(text: string): Uint32Array {
  const bytes = decodeBytes(text);
  if (bytes.length % 4 !== 0) throw new RangeError('words have a multiple of 4 bytes');
  const view = new DataView(bytes.buffer);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true));
}

export function encodeRuns(runs: MapRuns): EncodedRuns {
  return {
    lane: encodeBytes(runs.lane),
    start: encodeWords(runs.start),
    count: encodeWords(runs.count),
    before: encodeWords(runs.before),
    after: encodeWords(runs.after),
  };
}

/** Throws a RangeError for columns that do not decode, or are not of one length. */
export function decodeRuns(runs: EncodedRuns): MapRuns {
  const decoded = {
    lane: decodeBytes(runs.lane),
    start: decodeWords(runs.start),
    count: decodeWords(runs.count),
    before: decodeWords(runs.before),
    after: decodeWords(runs.after),
  };
  const { length } = decoded.lane;
  if (Object.values(decoded).some((column) => column.length !== length))
    throw new RangeError('the columns of runs are of one length');
  return decoded;
}

export function encodeStory(story: MapStory): EncodedStory {
  return {
    ...story,
    base: encodeRuns(story.base),
    changes: encodeRuns(story.changes),
    changesFrom: encodeWords(story.changesFrom),
  };
}

export function decodeStory(story: EncodedStory): MapStory {
  return {
    ...story,
    base: decodeRuns(story.base),
    changes: decodeRuns(story.changes),
    changesFrom: decodeWords(story.changesFrom),
  };
}

export function encodeUpdate(update: MapStoryUpdate): EncodedUpdate {
  const { lines, ...rest } = update;
  return {
    ...rest,
    changes: encodeRuns(update.changes),
    changesFrom: encodeWords(update.changesFrom),
    ...(lines === undefined ? {} : { lines: encodeWords(lines) }),
  };
}

export function decodeUpdate(update: EncodedUpdate): MapStoryUpdate {
  const { lines, ...rest } = update;
  return {
    ...rest,
    changes: decodeRuns(update.changes),
    changesFrom: decodeWords(update.changesFrom),
    ...(lines === undefined ? {} : { lines: decodeWords(lines) }),
  };
}

export function encodePosition(position: MapPosition): Encoded<MapPosition> {
  const { partial, ...rest } = position;
  return { ...rest, ...(partial === undefined ? {} : { partial: encodeRuns(partial) }) };
}

export function decodePosition(position: Encoded<MapPosition>): MapPosition {
  const { partial, ...rest } = position;
  return { ...rest, ...(partial === undefined ? {} : { partial: decodeRuns(partial) }) };
}
