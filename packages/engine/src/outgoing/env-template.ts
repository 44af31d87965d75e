/** `{{VARIABLE}}` in the URLs and headers of webhooks, and headers that name a variable. */
import type { Environment } from '#base/config.ts';
import { EngineError } from '#base/errors.ts';

/** A header of a webhook as it is set: its value, or the variable that holds it. */
export type HeaderSetting =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly value_from_env: string };
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/**
 * @returns `text` with every `{{VARIABLE}}` replaced
 * @throws {EngineError} `unexpected`, naming all variables that are not set
 */
export function fillTemplate(text: string, env: Environment): string {
  const missing: string[] = [];
  const filled = text.replace(/\{\{([^{}]*)\}\}/g, (_, name: string) => {
    const value = env[name.trim()];
    if (value === undefined) missing.push(name.trim());
    return value ?? '';
  });
  if (missing.length > 0) {
    throw new EngineError('unexpected', `Value for environment variables not found: ${missing.join(', ')}`, {
      status: 400,
    });
  }
  return filled;
}

/** @throws {EngineError} `not-found`, `unexpected` where a variable is not set */
export function resolveHeaders(settings: readonly HeaderSetting[], env: Environment): HeaderPairs {
  return settings.map((setting) => {
    if ('value' in setting) return [setting.name, fillTemplate(setting.value, env)] as const;
    const value = env[setting.value_from_env];
    if (value === undefined) {
      throw new EngineError('not-found', `environment variable '${setting.value_from_env}' not set`, {
        status: 400,
      });
    }
    return [setting.name, value] as const;
  });
}
