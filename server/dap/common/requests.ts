// What comes over the wire is anybody's: arguments are looked at before they are used, and what is wrong with them is said.

/** The arguments of a request: an object, and no more is known. */
export type Args = Record<string, unknown>;

/** Refuses a request; its message is the answer. Thrown by handlers, caught by the adapter. */
export class RequestError extends Error {}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function text(args: Args, name: string): string {
  const value = args[name];
  if (typeof value !== 'string') throw new RequestError(`The argument ${name} must be a text.`);
  return value;
}

export function optionalText(args: Args, name: string): string | undefined {
  return args[name] === undefined || args[name] === null ? undefined : text(args, name);
}

export function count(args: Args, name: string, otherwise?: number): number {
  const value = args[name] ?? otherwise;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new RequestError(`The argument ${name} must be a number.`);
  return value;
}

export const flag = (args: Args, name: string): boolean => args[name] === true;

/** The objects of a list; nothing for none. */
export function list(args: Args, name: string): Record<string, unknown>[] {
  const value = args[name] ?? [];
  if (!Array.isArray(value)) throw new RequestError(`The argument ${name} must be a list.`);
  return value.filter(isObject);
}

export function texts(args: Args, name: string): string[] {
  const value = args[name] ?? [];
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string'))
    throw new RequestError(`The argument ${name} must be a list of texts.`);
  return value as string[];
}
