import { readConfigFile } from '../../config/config-file.ts';
import { formatMistake } from '../../config/mistake.ts';
import { AppError } from '../../core/errors.ts';
import { rehearse, type RehearsalReport } from '../../server/rehearsals/rehearse.ts';
import { policiesOf } from '../../server/state/monitor-policies.ts';
import type { Store, TimeRange } from '../../server/store/store.ts';
import type { Server } from './build-server.ts';
import { alertPlansOf } from './build-states.ts';

/** What a configuration on this disk would have told of the stored results. @throws {AppError} not-found, invalid-config, usage */
export async function rehearseFile(
  file: string,
  range: TimeRange,
  { server, store }: { readonly server: Server; readonly store: Store },
): Promise<RehearsalReport> {
  const { config, mistakes } = await readConfigFile(file, process.env, { mayBeEmpty: true });
  const [mistake] = mistakes;
  if (!config || mistake)
    throw new AppError('invalid-config', mistake ? formatMistake(mistake) : `${file} says nothing`);
  const monitors = config.monitors.map(({ spec }) => spec);
  const { wanted } = server.tasks;
  const policies = policiesOf({ monitors, wanted, ...alertPlansOf(config) });
  const ids = new Set(monitors.map(({ id }) => id));
  const tasks = wanted.map(({ task }) => task).filter(({ monitorId }) => ids.has(monitorId));
  return await rehearse(policies, range, { store, tasks, agents: server.fleet.views() });
}
