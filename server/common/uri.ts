// URIs as keys. Clients spell the same file in different ways (`file:///c%3A/a b.c`, `file:///C:/a%20b.c`); the server compares one
// canonical spelling and answers in the client's own where it has heard one.

import { modelScheme } from './protocol.ts';

interface Parts {
  scheme: string;
  authority: string | undefined;
  /** Decoded. */
  path: string;
  /** Query and fragment as they are. */
  rest: string;
}

function split(uri: string): Parts | undefined {
  const match = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is.exec(uri);
  if (!match) return undefined;
  const [, scheme = '', authority, path = '', rest = ''] = match;
  return { scheme: scheme.toLowerCase(), authority: authority?.toLowerCase(), path: decode(path), rest };
}

function join(parts: Parts): string {
  const authority = parts.authority === undefined ? '' : `//${parts.authority}`;
  return `${parts.scheme}:${authority}${encodePath(parts.path)}${parts.rest}`;
}

function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes; // bytes that are no UTF-8 stand for themselves
    }
  });
}

/** Percent-encodes what a path in a URI may not hold; `/`, `:` and the other legal characters stay. */
export function encodePath(path: string): string {
  return path
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD')
    .replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/]+/g, (text) => encodeURIComponent(text));
}

/** The one spelling under which the server knows a URI. Text that is no URI stays as it is. */
export function canonicalUri(uri: string): string {
  const parts = split(uri);
  if (!parts) return uri;
  if (parts.scheme === 'file') {
    parts.authority = parts.authority === 'localhost' ? '' : (parts.authority ?? '');
    parts.path = parts.path.replace(/^\/([A-Z]):/, (_, drive: string) => `/${drive.toLowerCase()}:`);
  }
  return join(parts);
}

export function schemeOf(uri: string): string {
  return split(uri)?.scheme ?? '';
}

/** Decoded path of the URI. */
export function pathOf(uri: string): string {
  return split(uri)?.path ?? uri;
}

/** The URI of the folder that holds the file, without a slash at the end. */
export function folderOf(uri: string): string {
  const parts = split(uri);
  if (!parts) return uri;
  return join({ ...parts, path: parts.path.replace(/\/[^/]*$/, ''), rest: '' });
}

export function isInFolder(uri: string, folder: string): boolean {
  return uri === folder || uri.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/**
 * The file that `name` means in a file at `from`: an absolute path, a relative path with either slash, or a URI. undefined if `from` is
 * in no folder (an unsaved document) and the name is relative.
 */
export function resolveUri(from: string, name: string): string | undefined {
  if (/^[a-z]:[\\/]/i.test(name)) return canonicalUri(`file:///${encodePath(name.replaceAll('\\', '/'))}`);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return canonicalUri(name);
  const base = split(from);
  if (!base) return undefined;
  const relative = base.scheme === 'file' && /^\/[a-z]:/i.test(base.path) ? name.replaceAll('\\', '/') : name;
  if (relative.startsWith('/')) {
    if (base.authority === undefined) return canonicalUri(`file://${encodePath(relative)}`);
    return canonicalUri(join({ ...base, path: relative, rest: '' }));
  }
  if (!base.path.startsWith('/')) return undefined;
  const segments = base.path.split('/').slice(0, -1);
  for (const segment of relative.split('/')) {
    if (segment === '..') {
      if (segments.length > 1) segments.pop();
    } else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  return canonicalUri(join({ ...base, path: segments.join('/') || '/', rest: '' }));
}

const modelPrefix = 'model:';

/** The engine's name of a place (`model:kvm-rfc-v8/sev.c` or a URI) as a URI for the client. */
export function uriOfPath(path: string): string {
  if (!path.startsWith(modelPrefix)) return path;
  return `${modelScheme}:/${encodePath(path.slice(modelPrefix.length).replace(/^\/+/, ''))}`;
}

/** The path below the models of a `snp-model:` URI; undefined for any other. */
export function modelPathOf(uri: string): string | undefined {
  const parts = split(uri);
  return parts?.scheme === modelScheme ? parts.path.replace(/^\/+/, '') : undefined;
}
