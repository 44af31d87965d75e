/** Numbers by their digits: no value passes through floating point on its way to the database. */
import { NumberLiteral } from './scalar.ts';

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
/** Beyond this an integer is out of every bound; its digits are never spelled out. */
const LARGEST_EXPONENT = 400;

interface Decimal {
  readonly negative: boolean;
  /** Significant digits without leading zeros, `''` for zero. */
  readonly digits: string;
  /** The value is 0.digits × 10^exponent. */
  readonly exponent: number;
}

export function isNumber(value: unknown): value is number | NumberLiteral {
  return typeof value === 'number' || value instanceof NumberLiteral;
}

/** As PostgreSQL reads it. */
export function numberText(value: number | NumberLiteral): string {
  return value instanceof NumberLiteral ? value.text : String(value);
}

function toDecimal(value: number | NumberLiteral): Decimal {
  const match = NUMBER.exec(numberText(value));
  if (match === null) return { negative: false, digits: '', exponent: 0 };
  const [, sign, whole = '', fraction = '', power = '0'] = match;
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  return {
    negative: sign === '-',
    digits: withoutTrailingZeros(digits),
    exponent: whole.length + Number(power) - (all.length - digits.length),
  };
}

/** By hand: `/0+$/` looks at every run of zeros from each of its digits, which takes minutes on a long number. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits.charAt(end - 1) === '0') end -= 1;
  return digits.slice(0, end);
}

/** The integer it is, or undefined where it has a fraction or is beyond any integer type. */
export function toInteger(value: number | NumberLiteral): bigint | undefined {
  const { negative, digits, exponent } = toDecimal(value);
  if (digits === '') return 0n;
  if (digits.length > exponent || exponent > LARGEST_EXPONENT) return undefined;
  const magnitude = BigInt(digits.padEnd(exponent, '0'));
  return negative ? -magnitude : magnitude;
}

/** As Hasura shows numbers in messages: `1.5`, `100.0`, `2.147483648e9`. */
export function showNumber(value: number | NumberLiteral): string {
  const { negative, digits, exponent } = toDecimal(value);
  const sign = negative ? '-' : '';
  if (digits === '') return '0.0';
  if (exponent > 0 && exponent <= 7) {
    const padded = digits.padEnd(exponent, '0');
    return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent) || '0'}`;
  }
  if (exponent === 0) return `${sign}0.${digits}`;
  return `${sign}${digits.charAt(0)}.${digits.slice(1) || '0'}e${exponent - 1}`;
}

/** With this many digits behind the point, rounded: what a type without exponents reads. */
export function fixedNumber(value: number | NumberLiteral, decimals: number): string {
  const { negative, digits, exponent } = toDecimal(value);
  if (exponent > LARGEST_EXPONENT || exponent < -decimals) return exponent < 0 ? '0' : numberText(value);
  const scale = exponent + decimals;
  const kept = BigInt(`0${digits.padEnd(scale, '0').slice(0, scale)}`);
  const rounded = digits.charAt(scale) >= '5' ? kept + 1n : kept;
  const text = rounded.toString().padStart(decimals + 1, '0');
  return `${negative ? '-' : ''}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}

/** JSON text of a value that may hold {@link NumberLiteral}s. */
export function writeJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}
