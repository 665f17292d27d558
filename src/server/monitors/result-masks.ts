import type { ResultItem } from '../../core/entry.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { SecretMask } from '../../core/secrets.ts';

/** Hides in results what a configuration took from variables. An agent knows the secrets that a schema marks, and no others. */
export class ResultMasks {
  #byMonitor: ReadonlyMap<string, SecretMask> = new Map();

  follow(monitors: readonly MonitorSpec[]): void {
    this.#byMonitor = new Map(
      monitors.flatMap(({ id, secrets }) => (secrets ? [[id, new SecretMask(secrets)] as const] : [])),
    );
  }

  apply(item: ResultItem): ResultItem {
    const mask = this.#byMonitor.get(item.monitorId);
    if (!mask) return item;
    // Of an object an object is left.
    return { ...item, detail: mask.json(item.detail) as JsonObject, message: mask.text(item.message) };
  }
}
