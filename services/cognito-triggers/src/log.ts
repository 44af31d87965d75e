/** One line of JSON, which is what CloudWatch Logs Insights searches. Nothing personal belongs in it. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  details?: Record<string, unknown>,
) => void;

export const log: Log = (level, message, details = {}) => {
  console[level](JSON.stringify({ level, message, ...details }));
};
