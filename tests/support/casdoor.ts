import { readFixture } from './fixtures.ts';

/** A recorded payload. */
export const fixture = (name: string): string => readFixture('casdoor', name);
