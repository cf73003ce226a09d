/**
 * Structs, unions and enumerations (C11 6.7.2.1, 6.7.2.2). A member that cannot be read is left out, and the rest of the record stands: a kernel
 * struct is mostly members that a scenario never touches.
 */
import { completeRecord, type FieldDeclaration, isComplete } from './layout.ts';
import { message } from './messages.ts';
import { originOf, type Parser } from './parse-cursor.ts';
import { type Attributes, parseDeclarator, parseSpecifiers, skipAttributes } from './parse-declaration.ts';
import { parseConditional, parseConstant } from './parse-expression.ts';
import { resolved } from './parse-typing.ts';
import { skipStaticAssert } from './parse-variable.ts';
import { type CType, type EnumType, INT, isInteger, isRecord, LONG, recordType, UINT, ULONG } from './types.ts';

/** record = ("struct" | "union") attribute* name? attribute* ("{" member* "}" attribute*)? */
export function parseRecord(p: Parser, outer: Attributes): CType {
  const kind = p.token.text as 'struct' | 'union';
  p.advance();
  const attributes: Attributes = {};
  skipAttributes(p, attributes);
  let tag: string | undefined;
  if (p.isIdentifier()) {
    tag = p.token.text;
    p.advance();
    skipAttributes(p, attributes);
  }
  if (!p.is('{')) {
    if (tag === undefined) p.fail(message.expected('a tag or `{`', p.found()));
    if (tag === undefined) return INT;
    // `struct s;` names a new type of the present scope; any other mention the one that is visible.
    const known = p.is(';') ? p.scope.ownTag(tag) : p.scope.lookupTag(tag);
    if (known !== undefined && known.kind === kind) return known;
    const declared = recordType(kind, tag);
    p.scope.declareTag(tag, declared);
    return declared;
  }
  if (!p.enter()) return INT;
  p.advance();
  const own = tag === undefined ? undefined : p.scope.ownTag(tag);
  const record = own !== undefined && isRecord(own) && own.kind === kind && !own.complete ? own : recordType(kind, tag);
  if (tag !== undefined) p.scope.declareTag(tag, record);
  const fields: FieldDeclaration[] = [];
  while (!p.atEnd() && !p.is('}')) parseMember(p, fields);
  p.expect('}');
  skipAttributes(p, attributes);
  completeRecord(record, fields, attributes.packed === true || outer.packed === true, attributes.align ?? 1);
  p.leave();
  return record;
}

/** member = specifiers (declarator (":" constant)? ("," …)*)? ";" */
function parseMember(p: Parser, fields: FieldDeclaration[]): void {
  if (p.accept(';') || skipStaticAssert(p)) return;
  const start = p.position;
  const specifiers = parseSpecifiers(p);
  if (specifiers !== undefined) {
    if (p.is(';')) {
      // An anonymous record's members are the outer one's; a tagged one without a declarator only declares the tag (but see -fms-extensions).
      if (isRecord(specifiers.type)) fields.push(field('', specifiers.type, specifiers.attributes));
    } else {
      do {
        const attributes: Attributes = { ...specifiers.attributes };
        const declarator = p.is(':')
          ? { name: '', origin: originOf(p.token), type: specifiers.type }
          : parseDeclarator(p, specifiers.type, 'named', attributes);
        const type = resolved(p, declarator.type);
        if (p.accept(':')) {
          const width = parseConstant(p, 'the width of a bit-field');
          skipAttributes(p, attributes);
          if (width === undefined) break;
          const limit =
            type.kind === 'bool' ? 1n : type.kind === 'int' || type.kind === 'enum' ? BigInt(type.width) : 0n;
          if (!isInteger(type) || width < 0n || width > limit || (width === 0n && declarator.name !== '')) {
            p.fail(message.notConstant('the width of a bit-field'), declarator.origin);
            break;
          }
          fields.push({ ...field(declarator.name, type, attributes), bits: Number(width) });
        } else if (type.kind !== 'function') {
          // `u8 data[];` takes no room; neither does a member of a type that is not known.
          if (isComplete(type) || type.kind === 'array') fields.push(field(declarator.name, type, attributes));
        }
      } while (p.accept(','));
    }
    p.expect(';');
  }
  // Members read before the failure stay: `int a, b bad;` still has `a`.
  if (p.failure === undefined) return;
  p.resume(behindMember(p, start));
}

function field(name: string, type: CType, a: Attributes): FieldDeclaration {
  const f: FieldDeclaration = { name, type };
  if (a.align !== undefined && a.align > 0 && a.align <= 4096) f.align = a.align;
  if (a.packed) f.packed = true;
  if (a.mustPropagate) f.mustPropagate = true;
  return f;
}

/** Behind the `;` that ends the member beginning at `start`; at the record's `}` if there is none. */
function behindMember(p: Parser, start: number): number {
  let depth = 0;
  for (let i = start; i < p.tokens.length; i++) {
    const { text, kind } = p.tokens[i];
    if (kind === 'end') return i;
    if (kind !== 'punctuator') continue;
    if (text === '(' || text === '[' || text === '{') depth++;
    else if (text === ')' || text === ']' || text === '}') {
      if (depth === 0 && text === '}') return Math.max(i, start);
      depth = Math.max(0, depth - 1);
    } else if (text === ';' && depth === 0) return i + 1;
  }
  return p.tokens.length;
}

/** enum = "enum" attribute* name? ("{" (name ("=" constant)? ","?)* "}" attribute*)? */
export function parseEnum(p: Parser): CType {
  p.advance();
  const attributes: Attributes = {};
  skipAttributes(p, attributes);
  let tag: string | undefined;
  if (p.isIdentifier()) {
    tag = p.token.text;
    p.advance();
  }
  if (!p.is('{')) {
    if (tag === undefined) p.fail(message.expected('a tag or `{`', p.found()));
    const known = tag === undefined ? undefined : p.scope.lookupTag(tag);
    if (known?.kind === 'enum') return known;
    // GCC lets an enum be named before it is defined; it is an unsigned int until then.
    const declared: EnumType = { kind: 'enum', tag, width: 32, signed: false, complete: true };
    if (tag !== undefined) p.scope.declareTag(tag, declared);
    return declared;
  }
  p.advance();
  const own = tag === undefined ? undefined : p.scope.ownTag(tag);
  const type: EnumType = own?.kind === 'enum' ? own : { kind: 'enum', tag, width: 32, signed: false, complete: true };
  if (tag !== undefined) p.scope.declareTag(tag, type);
  let next = 0n;
  let low = 0n;
  let high = 0n;
  while (!p.atEnd() && !p.is('}')) {
    const name = p.token;
    if (!p.isIdentifier()) {
      p.fail(message.expected('the name of a constant', p.found()));
      break;
    }
    p.advance();
    skipAttributes(p, attributes);
    let valueType: CType = INT;
    if (p.accept('=')) {
      const e = parseConditional(p);
      if (e.value !== undefined) next = e.value;
      else if (p.failure === undefined) p.fail(message.notConstant(`the value of \`${name.text}\``), e.origin);
    }
    if (next < -(1n << 31n) || next >= 1n << 31n)
      valueType = next < 0n ? LONG : next < 1n << 32n ? UINT : next < 1n << 63n ? LONG : ULONG;
    p.scope.declare({ kind: 'constant', name: name.text, value: next, type: valueType });
    if (next < low) low = next;
    if (next > high) high = next;
    next += 1n;
    if (!p.accept(',')) break;
  }
  p.expect('}');
  skipAttributes(p, attributes);
  type.signed = low < 0n;
  type.width = high >= 1n << (type.signed ? 31n : 32n) || low < -(1n << 31n) ? 64 : 32;
  return type;
}
