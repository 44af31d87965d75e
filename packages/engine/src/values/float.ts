/** Floating point numbers as Hasura reads them: in binary, so what is too large becomes infinite, and too small zero. */
import { numberText } from './number.ts';
import type { NumberLiteral } from './scalar.ts';

const PARTS = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Powers of ten (of the digits taken as one integer) up to which Hasura looks at the number itself. */
const POWER_LIMIT = 324;
/** Below these even the digits do not make up for the power. */
const LOWEST: Readonly<Record<FloatType, number>> = { real: -46, float8: -324 };

export type FloatType = 'real' | 'float8';

/** PostgreSQL's text of the number; undefined where it is beyond what Hasura reads. */
export function floatText(value: number | NumberLiteral, type: FloatType): string | undefined {
  const text = numberText(value);
  const [, whole = '', fraction = '', power = '0'] = PARTS.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const exponent = Number(power) - fraction.length;
  if (digits !== '') {
    if (exponent > POWER_LIMIT) return undefined;
    const isTiny = exponent < LOWEST[type] && exponent + digits.length < LOWEST[type];
    if (exponent < -POWER_LIMIT && isTiny) return undefined;
  }
  const number = type === 'real' ? Math.fround(Number(text)) : Number(text);
  const isExact = Number.isFinite(number) && (number !== 0 || digits === '');
  return isExact ? text : String(number);
}
