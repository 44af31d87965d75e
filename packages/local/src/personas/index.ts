/** The people with whom a local stack begins: reading and checking the file that tells of them. */

export { membershipsOf, type Persona, type Personas } from './personas.ts';
export { parsePersonas, readPersonas } from './read-personas.ts';
