// Validates JSON against the part of JSON Schema that docs/json-report.schema.json uses; a keyword it does not know is an error.

type Schema = Record<string, unknown>;

/** What is wrong, each with its place; empty if nothing. */
export function problems(schema: Schema, value: unknown, root: Schema = schema, at = '$'): string[] {
  const found: string[] = [];
  const check = (isRight: boolean, what: string) => {
    if (!isRight) found.push(`${at}: ${what}, not ${JSON.stringify(value)}`);
  };
  const object = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined;
  for (const [keyword, wanted] of Object.entries(schema)) {
    switch (keyword) {
      case '$schema':
      case 'title':
      case '$defs':
        break;
      case '$ref': {
        const definition = (root.$defs as Record<string, Schema>)[String(wanted).replace('#/$defs/', '')];
        if (!definition) throw new Error(`no definition ${wanted}`);
        found.push(...problems(definition, value, root, at));
        break;
      }
      case 'type':
        check(typeOf(value) === wanted || (wanted === 'number' && typeOf(value) === 'integer'), `should be ${wanted}`);
        break;
      case 'const':
        check(value === wanted, `should be ${wanted}`);
        break;
      case 'enum':
        check((wanted as unknown[]).includes(value), `should be one of ${wanted}`);
        break;
      case 'minimum':
        check(typeof value !== 'number' || value >= Number(wanted), `should be at least ${wanted}`);
        break;
      case 'required':
        for (const name of wanted as string[]) check(!object || name in object, `should have ${name}`);
        break;
      case 'properties':
        for (const [name, property] of Object.entries(wanted as Record<string, Schema>)) {
          if (object && name in object) found.push(...problems(property, object[name], root, `${at}.${name}`));
        }
        break;
      case 'additionalProperties':
        for (const name of Object.keys(object ?? {}))
          check(name in (schema.properties as Schema), `should not have ${name}`);
        break;
      case 'items':
        if (!Array.isArray(value)) break;
        for (const [index, item] of value.entries()) {
          found.push(...problems(wanted as Schema, item, root, `${at}[${index}]`));
        }
        break;
      default:
        throw new Error(`schema keyword ${keyword}`);
    }
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (Number.isInteger(value)) return 'integer';
  return typeof value;
}
