import { findCheckType } from '../../checks/registry.ts';
import type { CheckType } from '../../core/check.ts';
import { AppError } from '../../core/errors.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { JsonObject, JsonValue } from '../../core/outcome.ts';
import { hidden, withoutSecrets } from '../../core/secrets.ts';

/**
 * A definition that was made from what the server shows, with the secrets that were not shown: those of the monitor as it was
 * `before`, where nothing else was written. @throws {AppError} usage, where a secret is not known
 */
export function withSecretsOf(definition: JsonObject, before?: MonitorSpec): JsonObject {
  const check = before && findCheckType(before.type);
  const full = before && check ? restored(definition, before, check) : definition;
  const place = placeOfHidden(full);
  if (place === undefined) return full;
  throw new AppError('usage', `${place}: ${hidden} stands for a secret that is not shown; write the secret itself`);
}

function restored(definition: JsonObject, before: MonitorSpec, check: CheckType): JsonObject {
  const { target, options, ...rest } = definition;
  const given = isObject(options) ? options : {};
  const shown = withoutSecrets(check.options, before.options, []);
  const kept = unhidden(given, { shown, real: before.options });
  // A target that is shown without its secrets is one of these options.
  if (target !== before.target || typeof target !== 'string' || !target.includes(hidden))
    return { ...definition, ...(isObject(options) && { options: kept }) };
  const inTarget = Object.keys(check.fromTarget(target, check.type));
  const ofTarget = Object.entries(before.options).filter(([name]) => inTarget.includes(name));
  return { ...rest, options: { ...Object.fromEntries(ofTarget), ...kept } };
}

/** The value with what is hidden in it as it really is, where the rest of the text is the same. */
function unhidden<Value extends JsonValue>(
  value: Value,
  { shown, real }: { readonly shown: JsonValue | undefined; readonly real: JsonValue | undefined },
): Value {
  if (typeof value === 'string') return (value === shown && real !== undefined ? real : value) as Value;
  if (!isObject(value) || !isObject(shown) || !isObject(real)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    unhidden(inner, { shown: shown[key], real: real[key] }),
  ]);
  return Object.fromEntries(entries) as Value;
}

/** Where a text is nothing but a hidden secret, or the query of a URL has one. */
function placeOfHidden(value: JsonValue, path = ''): string | undefined {
  if (typeof value === 'string') return value === hidden || value.includes(`=${hidden}`) ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value)
    .map(([key, inner]: [string, JsonValue]) => placeOfHidden(inner, path === '' ? key : `${path}.${key}`))
    .find((place) => place !== undefined);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
