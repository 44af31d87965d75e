/** A JSON value as GraphQL writes it: defaults in introspection. */
export function writeGraphqlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeGraphqlValue).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, item]) => `${key}:${writeGraphqlValue(item)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}
