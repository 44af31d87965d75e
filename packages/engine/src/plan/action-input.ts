/** A checked input as the JSON that goes to a handler. */
import type { Arguments, Input } from '#ir/input.ts';
import { writeJson } from '#values/number.ts';

/** JSON text; arguments that were left out are left out. */
export function writeArguments(given: Arguments): string {
  const fields = [...given].map(([name, { value }]) => `${JSON.stringify(name)}:${writeInput(value)}`);
  return `{${fields.join(',')}}`;
}

function writeInput(input: Input): string {
  switch (input.kind) {
    case 'null':
      return 'null';
    case 'list':
      return `[${input.items.map(writeInput).join(',')}]`;
    case 'object': {
      const fields = input.fields.map(
        ({ field, value }) => `${JSON.stringify(field.name)}:${writeInput(value)}`,
      );
      return `{${fields.join(',')}}`;
    }
    case 'enum':
      return JSON.stringify(input.value.name);
    case 'value':
      return writeJson(input.value);
    case 'rows':
      throw new TypeError('rows to insert are read for SQL, not for a handler');
    case 'param':
      throw new TypeError(`the type ${input.type.name} is read for SQL, not for a handler`);
  }
}
