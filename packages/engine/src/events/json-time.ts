/**
 * SQL for a time as Hasura writes it in JSON: UTC, with as many thirds of a fraction as there are.
 * @param timestamp an expression of type `timestamp`, in UTC
 */
export function jsonTime(timestamp: string): string {
  const whole = `to_char(${timestamp}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  return `regexp_replace(${whole}, '(\\.000000|000)Z$', 'Z')`;
}
