/** A short text that differs when a long one does. */

/** 106 bits of hash and the length, as text. Fast rather than safe against an adversary, who could only deceive himself. */
export function fingerprint(parts: readonly string[]): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  let c = 0x9e3779b9;
  let d = 0x7f4a7c15;
  let length = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) {
      const ch = part.charCodeAt(i);
      a = Math.imul(a ^ ch, 2654435761);
      b = Math.imul(b ^ ch, 1597334677);
      c = Math.imul(c ^ ch, 3266489917) + a;
      d = Math.imul(d ^ ch, 668265263) + b;
    }
    // The boundary between two parts counts.
    a = Math.imul(a ^ 0x10001, 2654435761);
    b = Math.imul(b ^ 0x10001, 1597334677);
    c = (c ^ (a >>> 13)) | 0;
    d = (d ^ (b >>> 15)) | 0;
    length += part.length;
  }
  return [a, b, c, d].map((n) => (n >>> 0).toString(36)).join('') + length.toString(36);
}
