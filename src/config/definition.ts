import { z } from 'zod';
import { checkModules, moduleWords } from '../checks/modules.ts';
import { findCheckType } from '../checks/registry.ts';
import { AppError } from '../core/errors.ts';
import type { MonitorSpec } from '../core/monitor-spec.ts';
import type { JsonObject } from '../core/outcome.ts';
import { formatPath } from './mistake.ts';
import { entrySchemaOf, readMonitor } from './monitor-entry.ts';

/** The monitors that `readDefinition` takes, a schema for each check type. */
export const definitionDocument: z.ZodType = z
  .union(
    checkModules.flatMap((module) => {
      const check = findCheckType(module.type);
      return check ? [entrySchemaOf(check, moduleWords(module))] : [];
    }),
  )
  .meta({ id: 'MonitorDefinition' });

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
