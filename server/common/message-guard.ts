// What a client may send, before the JSON-RPC library sees it. The library trusts the shape of what it is given; this does not, and
// answers what cannot be understood with the error that JSON-RPC and LSP have for it. It also holds the order of a session: nothing but
// `initialize` before it, nothing but `exit` after `shutdown`.

import { ErrorCodes, type Message } from 'vscode-languageserver';
import { isObject, member } from './client-features.ts';

export interface ErrorReply extends Message {
  id: number | string | null;
  error: { code: number; message: string };
}

export type Judgement =
  | { pass: Message }
  /** To be sent back. */
  | { reply: ErrorReply }
  /** Why a notification or a response is not passed on. */
  | { drop: string };

export class MessageGuard {
  #phase: 'new' | 'initialized' | 'shutdown' = 'new';

  judge(message: unknown): Judgement {
    if (!isObject(message) || Array.isArray(message))
      return refuse(null, ErrorCodes.InvalidRequest, 'a message is an object');
    const { method, id } = message;
    if (method === undefined) return this.#response(message);
    if (typeof method !== 'string') return refuse(idOf(id), ErrorCodes.InvalidRequest, 'the method is no string');
    if (id !== undefined && idOf(id) === null)
      return refuse(null, ErrorCodes.InvalidRequest, 'the id is no number or string');
    const isRequest = id !== undefined;
    const params = message.params ?? undefined;
    if (params !== undefined && !isObject(params)) {
      if (isRequest) return refuse(idOf(id), ErrorCodes.InvalidParams, `${method}: params is no object or array`);
      return { drop: `${method}: params is no object or array` };
    }
    return isRequest ? this.#request(message, method, params) : this.#notification(message, method, params);
  }

  #request(message: Record<string, unknown>, method: string, params: unknown): Judgement {
    const id = idOf(message.id);
    if (this.#phase === 'shutdown') return refuse(id, ErrorCodes.InvalidRequest, 'the server has been shut down');
    if (method === 'initialize') {
      if (this.#phase !== 'new') return refuse(id, ErrorCodes.InvalidRequest, 'the server has been initialized');
      if (!isObject(params) || Array.isArray(params))
        return refuse(id, ErrorCodes.InvalidParams, 'initialize needs params');
      this.#phase = 'initialized';
      return pass({ ...message, params: initializeParams(params) });
    }
    if (this.#phase === 'new') return refuse(id, ErrorCodes.ServerNotInitialized, `${method} before initialize`);
    if (method === 'shutdown') this.#phase = 'shutdown';
    return pass({ ...message, params });
  }

  #notification(message: Record<string, unknown>, method: string, params: unknown): Judgement {
    if (method === 'exit') return pass(message);
    if (this.#phase === 'new') return { drop: `${method} before initialize` };
    if (this.#phase === 'shutdown') return { drop: `${method} after shutdown` };
    if (method === '$/cancelRequest' && idOf(member(params, 'id')) === null) return { drop: `${method} without an id` };
    if (method === '$/setTrace' && typeof member(params, 'value') !== 'string')
      return { drop: `${method} without a value` };
    return pass({ ...message, params });
  }

  #response(message: Record<string, unknown>): Judgement {
    const { id, error } = message;
    if (id === undefined || (id !== null && idOf(id) === null)) {
      return refuse(null, ErrorCodes.InvalidRequest, 'a message has a method or an id');
    }
    if (error !== undefined && !isObject(error)) return { drop: 'a response whose error is no object' };
    if (error === undefined && message.result === undefined) return { drop: 'a response without a result' };
    return pass(message);
  }
}

export function parseError(what: string): ErrorReply {
  return { jsonrpc: '2.0', id: null, error: { code: ErrorCodes.ParseError, message: what } };
}

function pass(message: Record<string, unknown>): Judgement {
  const { params, ...rest } = message;
  // The library tells "no params" from "params: undefined" by the value alone; null counts as none in LSP.
  return { pass: { ...rest, ...(params === undefined ? {} : { params }), jsonrpc: '2.0' } as Message };
}

function refuse(id: number | string | null, code: number, message: string): Judgement {
  return { reply: { jsonrpc: '2.0', id, error: { code, message } } };
}

function idOf(id: unknown): number | string | null {
  return typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id)) ? id : null;
}

/** The members that the library reads without looking, in the shape it expects. */
function initializeParams(params: Record<string, unknown>): Record<string, unknown> {
  const capabilities = isObject(params.capabilities) ? { ...params.capabilities } : {};
  for (const name of ['workspace', 'textDocument', 'window', 'general', 'notebookDocument']) {
    if (capabilities[name] !== undefined && !isObject(capabilities[name])) delete capabilities[name];
  }
  return { ...params, capabilities };
}
