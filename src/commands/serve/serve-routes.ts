import type { BackupMaker } from '../../server/backup/make-backup.ts';
import { definitionDocument, roomDocument } from '../../config/definition.ts';
import { openAbsences } from '../../server/routes/absences.ts';
import { agentsRoutes } from '../../server/routes/agents.ts';
import { signedManifest } from '../../server/evidence/manifest.ts';
import type { ServerIdentity } from '../../server/gateway/greeting.ts';
import { evidenceRoutes } from '../../server/routes/evidence.ts';
import { eventsRoutes } from '../../server/routes/events.ts';
import { historyRoutes } from '../../server/routes/history.ts';
import { missingRoutes } from '../../server/routes/missing.ts';
import { monitorsRoutes } from '../../server/routes/monitors.ts';
import type { NotifierDesk } from '../../server/outbox/notifier-desk.ts';
import { noticesRoutes } from '../../server/routes/notices.ts';
import { overviewRoutes } from '../../server/routes/overview.ts';
import { notifiersRoutes } from '../../server/routes/notifiers.ts';
import { rehearsalsRoutes } from '../../server/routes/rehearsals.ts';
import { recordsRoutes } from '../../server/routes/records.ts';
import { roomsRoutes } from '../../server/routes/rooms.ts';
import { resultsRoutes, type ResultsPorts } from '../../server/routes/results.ts';
import type { Route } from '../../server/routes/route.ts';
import { sealedSession } from '../../server/rooms/session-sealing.ts';
import { sessionsRoutes } from '../../server/routes/sessions.ts';
import { storeRoutes } from '../../server/routes/store.ts';
import { runsRoutes } from '../../server/routes/runs.ts';
import { tasksRoutes, type TasksPorts } from '../../server/routes/tasks.ts';
import type { Store } from '../../server/store/store.ts';
import { version } from '../installation.ts';
import { alertRoutes } from './alert-routes.ts';
import type { Server } from './build-server.ts';
import { rehearseFile } from './rehearse-file.ts';

interface RouteParts {
  readonly server: Server;
  readonly store: Store;
  readonly identity: ServerIdentity;
  readonly desk: NotifierDesk;
  readonly clock: { now(): number };
  /** Where agents reach this server. */
  readonly url: () => string;
}

/** What whoever has the token may ask for. */
export function publicRoutes({ server, store, identity, desk, clock, url }: RouteParts): readonly Route[] {
  const tasks: TasksPorts = {
    wanted: () => server.tasks.wanted,
    agents: () => server.fleet.views(),
    assertMonitor: (idOrName) => void server.book.find(idOrName),
    latest: (taskId) => server.latest.get(taskId)?.result,
    stateOf: (wanted) => server.states.of(wanted),
  };
  return [
    ...agentsRoutes({
      views: () => server.fleet.views(),
      revoke: (agentId) => server.administration.revoke(agentId),
      remove: (agentId) => server.administration.remove(agentId),
      rename: (agentId, name) => server.administration.rename(agentId, name),
      async invite(invitation) {
        const { token, expiresAt } = await server.administration.invite(invitation);
        // Not as an option, which every user of that machine could read.
        return { token, expiresAt, command: `WATCHKEEPER_TOKEN=${token} watchkeeper agent --join ${url()}` };
      },
    }),
    ...monitorsRoutes({ ...tasks, book: server.book, bodyDocument: definitionDocument }),
    ...tasksRoutes(tasks),
    ...overviewRoutes({ ...tasks, book: server.book, states: () => store.states(), now: () => clock.now() }),
    ...runsRoutes({ ...tasks, run: (request) => server.runs.run(request) }),
    ...resultsRoutes(resultsPorts({ server, store, clock })),
    ...historyRoutes({ measured: () => store.measured(), monitors: () => server.book.entries() }),
    ...missingRoutes(store),
    ...recordsRoutes({
      agents: () => server.fleet.views(),
      records: (query) => store.records(query),
      alarms: (query) => store.alarms(query),
    }),
    ...notifiersRoutes(desk),
    ...supervisionRoutes({ server, store, clock, identity }),
    ...evidenceRoutes({
      agents: () => server.fleet.views(),
      manifest: (excerpt) => signedManifest(excerpt, { store, identity, version: version(), now: clock.now() }),
      lines: (query) => store.lines(query),
    }),
    ...alertRoutes({ server, store, clock }),
    ...eventsRoutes({ ...tasks, feed: server.feed, monitorId: (idOrName) => server.book.find(idOrName).spec.id }),
  ];
}

/** Rooms, their sessions, and what people were told of their machines. */
function supervisionRoutes({
  server,
  store,
  clock,
  identity,
}: Pick<RouteParts, 'server' | 'store' | 'clock' | 'identity'>): readonly Route[] {
  const agents = () => server.fleet.views();
  return [
    ...roomsRoutes({
      book: server.rooms,
      agents,
      openSession: (id) => server.sessions.open.find(({ roomId }) => roomId === id)?.id,
      bodyDocument: roomDocument,
    }),
    ...sessionsRoutes({
      ...server,
      agents,
      seal: (session, zone) => sealedSession(session, { store, identity, version: version(), now: clock.now(), zone }),
    }),
    ...noticesRoutes({
      ...server,
      agents,
      now: () => clock.now(),
      notices: (query) => store.notices(query),
      acknowledge: (id, acknowledged) => store.acknowledge(id, acknowledged),
    }),
  ];
}

function resultsPorts({ server, store, clock }: Pick<RouteParts, 'server' | 'store' | 'clock'>): ResultsPorts {
  return {
    results: (query) => store.results(query),
    summaries: (query) => store.summaries(query),
    async absences(query) {
      const agentId = server.tasks.agentOf(query.taskId);
      const agent = agentId === undefined ? undefined : server.fleet.view(agentId);
      return [...(await store.absences(query)), ...openAbsences(agent, query, clock.now())];
    },
    isTask: (taskId) => server.tasks.isKnown(taskId),
  };
}

/** What only whoever may open the admin socket may ask for. */
export function adminRoutes({ server, store, clock, backups }: AdminParts): readonly Route[] {
  return [
    ...storeRoutes({ backup: () => backups.make(), verify: () => store.verify() }),
    ...rehearsalsRoutes({
      now: () => clock.now(),
      rehearse: (file, range) => rehearseFile(file, range, { server, store }),
    }),
  ];
}

interface AdminParts extends Pick<RouteParts, 'server' | 'store' | 'clock'> {
  readonly backups: BackupMaker;
}
