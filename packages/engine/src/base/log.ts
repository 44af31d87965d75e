/** JSON lines on standard output; never a token, a secret or a connection string. */

export interface Logger {
  info(type: string, detail?: Readonly<Record<string, unknown>>): void;
  warn(type: string, detail?: Readonly<Record<string, unknown>>): void;
  error(type: string, detail?: Readonly<Record<string, unknown>>): void;
}

export function createLogger(write: (line: string) => void): Logger {
  const at =
    (level: string) =>
    (type: string, detail: Readonly<Record<string, unknown>> = {}) =>
      write(`${redact(JSON.stringify({ level, timestamp: new Date().toISOString(), type, ...detail }))}\n`);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };

/**
 * Takes the password out of any URL that slipped into a message. A word is looked at from its start only, and a
 * password holds no slash: the time is that of the line's length, whatever a client got into it.
 */
function redact(line: string): string {
  return line.replace(/(\b\w+:\/\/[^\s:/@"\\]+):[^\s/@"\\]+@/g, '$1:***@');
}
