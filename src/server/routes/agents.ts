import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { isoTimeOf, isoTimeOrNull, isoTimeSchema } from '../../core/iso-time.ts';
import { sensorReport } from '../../protocol/messages.ts';
import { agentStatuses, type AgentView } from '../fleet/fleet.ts';
import { defineRoute, type Route } from './route.ts';

export interface AgentsPorts {
  views(): readonly AgentView[];
  /** Closes the agent's connection and refuses its key from now on. False if there is no such agent, or it is revoked already. */
  revoke(agentId: string): Promise<boolean>;
  /** Revokes the agent and no longer lists it. False if it is removed already. */
  remove(agentId: string): Promise<boolean>;
  /** Gives the agent another name. @throws {AppError} usage, when it is taken */
  rename(agentId: string, name: string): Promise<void>;
  /** A one-use token, and the line that joins a machine with it. */
  invite(invitation: {
    readonly lifetimeMs: number;
    readonly numbersNames: boolean;
  }): Promise<{ readonly token: string; readonly command: string; readonly expiresAt: number }>;
}

export const agentSchema = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    status: z.enum(agentStatuses),
    since: isoTimeSchema,
    address: z.string().nullable(),
    version: z.string().nullable(),
    lastSeenAt: isoTimeSchema.nullable(),
    tasks: z.int(),
    queue: z
      .strictObject({
        depth: z.int(),
        bytes: z.int(),
        oldestUnsentAt: isoTimeSchema.nullable(),
        at: isoTimeSchema.meta({ description: 'When the agent told it' }),
      })
      .nullable()
      .meta({ description: 'As the agent last told; null if it never did' }),
    lagMs: z.number(),
    clockOffsetMs: z.number(),
    impaired: z.array(z.string()),
    warnings: z.array(z.string()),
    sensors: z.array(sensorReport),
  })
  .meta({ id: 'Agent' });
export type AgentAnswer = z.output<typeof agentSchema>;

const maxInviteMs = 3_600_000;

export function agentsRoutes(ports: AgentsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listAgents',
      method: 'get',
      path: '/agents',
      errors: [],
      summary: 'Every agent: its status, its queue, its lag',
      response: z.strictObject({ agents: z.array(agentSchema) }),
      handle: async () => ({ agents: ports.views().map(agentAnswer) }),
    }),
    ...endingRoutes(ports),
    ...administrationRoutes(ports),
  ];
}

function endingRoutes(ports: AgentsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'revokeAgent',
      method: 'post',
      path: '/agents/{agent}/revoke',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'End the connection of an agent and refuse its key from now on',
      params: z.strictObject({ agent: z.string() }),
      response: z.strictObject({}),
      async handle({ params }) {
        const { id, name } = findAgent(ports.views(), params.agent);
        if (!(await ports.revoke(id))) throw new AppError('conflict', `agent ${name} is revoked already`);
      },
    }),
    defineRoute({
      name: 'removeAgent',
      method: 'delete',
      path: '/agents/{agent}',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Revoke an agent and take it off the list; what it reported stays until retention drops it',
      params: z.strictObject({ agent: z.string() }),
      response: z.strictObject({}),
      async handle({ params }) {
        const { id, name } = findAgent(ports.views(), params.agent);
        if (!(await ports.remove(id))) throw new AppError('conflict', `agent ${name} is removed already`);
      },
    }),
  ];
}

function administrationRoutes(ports: AgentsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'renameAgent',
      method: 'post',
      path: '/agents/{agent}/rename',
      errors: ['not-found', 'conflict', 'unavailable'],
      summary: 'Give an agent another name; what monitors and sensors say of names follows',
      params: z.strictObject({ agent: z.string() }),
      body: z.strictObject({ name: z.string().max(200) }),
      response: z.strictObject({}),
      handle: async ({ params, body }) => await ports.rename(findAgent(ports.views(), params.agent).id, body.name),
    }),
    defineRoute({
      name: 'inviteAgent',
      method: 'post',
      path: '/invites',
      errors: ['unavailable'],
      summary: 'Make a one-use token that lets one agent join',
      body: z.strictObject({
        lifetimeMs: z.int().min(1000).max(maxInviteMs).default(maxInviteMs),
        numbersNames: z
          .boolean()
          .default(false)
          .meta({ description: 'A name that is taken gets a number behind it; else the agent is refused' }),
      }),
      response: z.strictObject({ token: z.string(), command: z.string(), expiresAt: isoTimeSchema }),
      async handle({ body }) {
        const { expiresAt, ...invite } = await ports.invite(body);
        return { ...invite, expiresAt: isoTimeOf(expiresAt) };
      },
    }),
  ];
}

/** By id or by name. @throws {AppError} not-found; usage, when several have this name */
export function findAgent(agents: readonly AgentView[], idOrName: string): AgentView {
  // An agent may call itself by the id of another.
  const exact = agents.find(({ id }) => id === idOrName.toLowerCase());
  if (exact) return exact;
  const named = agents.filter(({ name }) => name === idOrName);
  // A revoked agent leaves its name to another.
  const present = named.filter(({ status }) => status !== 'revoked');
  const [found, ...others] = present.length > 0 ? present : named;
  if (found && others.length === 0) return found;
  if (found) {
    const ids = [found, ...others].map(({ id }) => id).join(', ');
    throw new AppError('usage', `several agents are called ${JSON.stringify(idOrName)}; say which by its id: ${ids}`);
  }
  const known = agents.map(({ name }) => name).join(', ') || 'none';
  throw new AppError('not-found', `there is no agent ${JSON.stringify(idOrName)}; there are: ${known}`);
}

export function agentAnswer({ since, address, version, lastSeenAt, queue, ...view }: AgentView): AgentAnswer {
  return {
    ...view,
    impaired: [...view.impaired],
    warnings: [...view.warnings],
    sensors: [...view.sensors],
    since: isoTimeOf(since),
    address: address ?? null,
    version: version ?? null,
    lastSeenAt: isoTimeOrNull(lastSeenAt),
    queue: queue ? { ...queue, oldestUnsentAt: isoTimeOrNull(queue.oldestUnsentAt), at: isoTimeOf(queue.at) } : null,
  };
}
