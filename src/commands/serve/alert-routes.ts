import { randomUUIDv7 } from 'node:crypto';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { windowsRoutes } from '../../server/routes/alert-windows.ts';
import { availabilityRoutes } from '../../server/routes/availability.ts';
import { drillsRoutes } from '../../server/routes/drills.ts';
import { incidentsRoutes } from '../../server/routes/incidents.ts';
import type { Route } from '../../server/routes/route.ts';
import { statesRoutes } from '../../server/routes/states.ts';
import type { Store } from '../../server/store/store.ts';
import type { Server } from './build-server.ts';

interface AlertParts {
  readonly server: Server;
  readonly store: Store;
  readonly clock: { now(): number };
}

/** What is wrong, who has it, when nobody is told, and how available monitors were. */
export function alertRoutes({ server, store, clock }: AlertParts): readonly Route[] {
  const monitors = (): readonly MonitorSpec[] => server.book.entries().map(({ spec }) => spec);
  const now = (): number => clock.now();
  const windows = async () => [...server.alerts.windows(), ...(await store.alertWindows())];
  return [
    ...statesRoutes({ states: store, monitors, agentName: (agentId) => server.nameOf(agentId) }),
    ...incidentsRoutes({ states: store, now, monitorId: (idOrName) => server.book.find(idOrName).spec.id }),
    ...windowsRoutes({
      states: store,
      now,
      newId: randomUUIDv7,
      monitorNames: () => monitors().map(({ name }) => name),
      configured: () => server.alerts.windows(),
    }),
    ...availabilityRoutes({ states: store, now, monitors, windows }),
    ...drillsRoutes({ drills: server.alerts.drills, peopleOf: (monitor) => peopleOf(server, monitor) }),
  ];
}

/** @throws {AppError} not-found */
function peopleOf({ book, alerts }: Server, monitor: string) {
  const { id, name } = book.find(monitor).spec;
  const { monitors, notify } = alerts.policies();
  return { name, steps: monitors.find((policy) => policy.id === id)?.notify ?? notify };
}
