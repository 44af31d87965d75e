/** Roles that inherit from themselves, directly or not. */
import { EngineError } from '#base/errors.ts';
import type { InheritedRole } from '#metadata/types.ts';

/** @throws {EngineError} `cyclic-dependency`, telling each cycle from its alphabetically first role on */
export function assertNoRoleCycles(roles: readonly InheritedRole[]): void {
  const parents = new Map(roles.map((role) => [role.role_name, role.role_set]));
  const told = new Set<string>();
  const cycles: string[] = [];
  for (const start of [...parents.keys()].sort()) {
    if (told.has(start)) continue;
    const cycle = findCycle(start, parents);
    if (cycle === undefined) continue;
    for (const role of cycle) told.add(role);
    cycles.push(JSON.stringify(cycle));
  }
  if (cycles.length === 0) return;
  throw new EngineError('cyclic-dependency', `found cycle(s) in roles: ${cycles.join(', ')}`);
}

/** The way from `start` back to itself, both ends included. */
function findCycle(start: string, parents: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const seen = new Set<string>();
  const walk = (role: string, path: readonly string[]): string[] | undefined => {
    for (const parent of parents.get(role) ?? []) {
      if (parent === start) return [...path, parent];
      if (seen.has(parent)) continue;
      seen.add(parent);
      const found = walk(parent, [...path, parent]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(start, [start]);
}
