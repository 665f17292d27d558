import { AppError } from '../core/errors.ts';
import type { MonitorSpec } from '../core/monitor-spec.ts';
import type { JsonObject } from '../core/outcome.ts';
import { formatPath } from './mistake.ts';
import { readMonitor } from './monitor-entry.ts';

/**
 * One monitor, written as in a file, that came from elsewhere. Variables of the environment are not put in: whoever may
 * make a monitor may not read the server's secrets by it.
 * @throws {AppError} usage, with every mistake
 */
export function readDefinition(definition: JsonObject): MonitorSpec {
  const mistakes: string[] = [];
  const report = (path: readonly (string | number)[], message: string): void =>
    void mistakes.push(path.length > 0 ? `${formatPath(path)}: ${message}` : message);
  const monitor = readMonitor(
    { entry: definition, file: { report, warn: () => {}, sourceOf: () => undefined }, pathOf: (path) => path },
    {},
  );
  if (monitor && mistakes.length === 0) return monitor.spec;
  throw new AppError('usage', mistakes.join('; '));
}
