import { z } from 'zod';
import { statuses } from '../../core/outcome.ts';
import { windowSchema } from '../../server/routes/alert-windows.ts';
import { availabilitySchema } from '../../server/routes/availability.ts';
import { drillSchema } from '../../server/routes/drills.ts';
import { rehearsalSchema } from '../../server/routes/rehearsals.ts';
import { agentSchema } from '../../server/routes/agents.ts';
import { incidentSchema, fullIncidentSchema } from '../../server/routes/incident-answer.ts';
import { stateSchema } from '../../server/routes/states.ts';
import { measuredTaskSchema } from '../../server/routes/history.ts';
import { missingSchema } from '../../server/routes/missing.ts';
import { monitorSchema } from '../../server/routes/monitors.ts';
import { roomSchema } from '../../server/routes/rooms.ts';
import { sessionSchema } from '../../server/routes/sessions.ts';
import { noticeSchema } from '../../server/routes/notices.ts';
import { notifierSchema, testedSchema } from '../../server/routes/notifiers.ts';
import { alarmSchema } from '../../server/routes/records.ts';
import { runSchema } from '../../server/routes/runs.ts';
import { resultSchema, taskSchema, taskSummarySchema } from '../../server/routes/tasks.ts';

// A newer server may say more than this program knows: that is kept, for --json, and not minded.
const agent = z.looseObject(agentSchema.shape);
const task = z.looseObject({ ...taskSchema.shape, latest: z.looseObject(resultSchema.shape).nullable() });
const taskSummary = z.looseObject(taskSummarySchema.shape);
const monitor = z.looseObject(monitorSchema.shape);

export type AgentAnswer = z.output<typeof agent>;
export type TaskAnswer = z.output<typeof task>;
export type TaskSummary = z.output<typeof taskSummary>;
export type MonitorAnswer = z.output<typeof monitor>;

export const agentsAnswer = z.looseObject({ agents: z.array(agent) });
export const tasksAnswer = z.looseObject({ tasks: z.array(task) });
export const monitorsAnswer = z.looseObject({ monitors: z.array(monitor) });
export const noticesAnswer = z.looseObject({ notices: z.array(z.looseObject(noticeSchema.shape)), more: z.boolean() });
export const notifiersAnswer = z.looseObject({ notifiers: z.array(z.looseObject(notifierSchema.shape)) });
export const testedAnswer = z.looseObject(testedSchema.shape);
export const roomsAnswer = z.looseObject({ rooms: z.array(z.looseObject(roomSchema.shape)) });
const session = z.looseObject(sessionSchema.shape);
export type SessionAnswer = z.output<typeof session>;
export const sessionAnswer = z.looseObject({ session });
const signedList = { manifest: z.string(), signature: z.string() };
export const sealedSessionAnswer = z.looseObject({
  ...signedList,
  report: z.string(),
  page: z.string(),
  seats: z.array(z.looseObject({ ...signedList, folder: z.string() })),
});
export const sessionsAnswer = z.looseObject({ sessions: z.array(session) });
export const acknowledgedAnswer = z.looseObject({ acknowledged: z.looseObject({ by: z.string(), at: z.string() }) });
export const alarmsAnswer = z.looseObject({ alarms: z.array(z.looseObject(alarmSchema.shape)) });
export const historyAnswer = z.looseObject({ tasks: z.array(z.looseObject(measuredTaskSchema.shape)) });
export const missingAnswer = z.looseObject({ missing: z.array(z.looseObject(missingSchema.shape)) });
export const inviteAnswer = z.looseObject({ command: z.string(), expiresAt: z.iso.datetime() });
const run = z.looseObject({ ...runSchema.shape, result: z.looseObject(resultSchema.shape).nullable() });
export type ListedRun = z.output<typeof run>;
export const runsAnswer = z.looseObject({ runs: z.array(run) });
export const monitorAnswer = z.looseObject({ monitor });
const result = z.looseObject(resultSchema.shape);
export type ListedResult = z.output<typeof result>;
export const resultsAnswer = z.looseObject({
  results: z.array(result),
  absences: z.array(z.looseObject({ from: z.string(), to: z.string().nullable(), reason: z.string() })),
  next: z.string().nullable(),
});
export const evidenceAnswer = z.looseObject(signedList);
export const linesAnswer = z.looseObject({ lines: z.array(z.string()) });
const incident = z.looseObject(incidentSchema.shape);
export const statesAnswer = z.looseObject({ states: z.array(z.looseObject(stateSchema.shape)) });
export const incidentsAnswer = z.looseObject({ incidents: z.array(incident), more: z.boolean() });
export const takenIncidentAnswer = incident;
export const fullIncidentAnswer = z.looseObject(fullIncidentSchema.shape);
export const availabilityAnswer = z.looseObject({
  from: z.string(),
  to: z.string(),
  monitors: z.array(z.looseObject(availabilitySchema.shape)),
});
export const drillAnswer = z.looseObject(drillSchema.shape);
export type DrillAnswer = z.output<typeof drillAnswer>;
export const rehearsalAnswer = z.looseObject(rehearsalSchema.shape);
export const windowAnswer = z.looseObject(windowSchema.shape);
export const windowsAnswer = z.looseObject({ windows: z.array(windowAnswer) });
export const done = z.looseObject({});

const id = z.string();
const count = z.number();

/** What the server's stream of events brings; a type that is not here is one of a newer server. */
export const serverEvent = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('result'),
    agentId: id,
    result: z.looseObject(resultSchema.shape),
    isLate: z.boolean(),
  }),
  z.looseObject({
    type: z.literal('state'),
    agentId: id,
    name: z.string(),
    monitor: z.string(),
    state: z.enum(statuses),
    before: z.enum(statuses),
    at: z.iso.datetime(),
    message: z.string(),
  }),
  /** The server no longer has what came after the last event. */
  z.looseObject({ type: z.literal('lost'), reason: z.string() }),
  z.looseObject({ type: z.literal('gap'), agentId: id, cause: z.string(), missing: count }),
  z.looseObject({
    type: z.literal('tasks'),
    agentId: id,
    revision: count,
    set: z.array(taskSummary),
    removed: z.array(id),
  }),
  z.looseObject({ type: z.literal('tasks-applied'), agentId: id, revision: count }),
  z.looseObject({
    type: z.literal('notice'),
    name: z.string(),
    severity: noticeSchema.shape.severity,
    text: z.string(),
    count: z.int(),
  }),
  z.looseObject({
    type: z.literal('alarm'),
    name: z.string(),
    sensor: z.string(),
    cause: z.string(),
    message: z.string(),
  }),
  z.looseObject({
    type: z.literal('session'),
    room: z.string(),
    policy: z.string(),
    change: z.string(),
    until: z.iso.datetime(),
  }),
  z.looseObject({
    type: z.literal('agent'),
    agentId: id,
    name: z.string(),
    address: z.string().optional(),
    status: z.string(),
    before: z.string().optional(),
  }),
]);
export type ConsoleEvent = z.output<typeof serverEvent>;
