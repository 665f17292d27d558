import { z } from 'zod';
import { assertPeriod, givenTime } from '../../core/iso-time.ts';
import { sensorNames } from '../../core/sensor.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { SignedManifest } from '../../records/manifest.ts';
import type { Excerpt } from '../evidence/manifest.ts';
import type { KeptLine, LineQuery } from '../store/evidence.ts';
import { findAgent } from './agents.ts';
import { maxParameter, wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';

export interface EvidencePorts {
  agents(): readonly AgentView[];
  manifest(excerpt: Excerpt): Promise<SignedManifest>;
  lines(query: LineQuery): Promise<readonly KeptLine[]>;
}

/** What is needed to take evidence away: a signed list of what there is, and the lines themselves. */
export function evidenceRoutes(ports: EvidencePorts): readonly Route[] {
  return [
    defineRoute({
      name: 'getEvidence',
      method: 'get',
      path: '/agents/{agent}/evidence',
      errors: ['not-found', 'unavailable'],
      summary:
        'What there is of the records of an agent, signed by the server: the chains, their first and last lines, their alarms',
      params: z.strictObject({ agent: z.string() }),
      query: z.strictObject({
        sensor: z.enum(sensorNames).optional(),
        from: givenTime.optional(),
        to: givenTime.optional(),
      }),
      response: z.strictObject({ manifest: z.string(), signature: z.string() }),
      async handle({ params, query }) {
        assertPeriod(query);
        const { id: agentId, name: agent } = findAgent(ports.agents(), params.agent);
        return await ports.manifest({ ...query, agentId, agent });
      },
    }),
    defineRoute({
      name: 'listChainLines',
      method: 'get',
      path: '/chains/{chain}/lines',
      errors: ['unavailable'],
      summary: 'Lines of a chain of records from a number on, as the agent sealed them',
      params: z.strictObject({
        chain: z.uuid({ error: 'expected the id of a chain of records (a UUID)' }).toLowerCase(),
      }),
      query: z.strictObject({
        from: wholeParameter(1, maxParameter).default(1),
        limit: wholeParameter(1, 500).default(100),
      }),
      response: z.strictObject({ lines: z.array(z.string()) }),
      async handle({ params, query }) {
        return { lines: (await ports.lines({ ...query, chain: params.chain })).map(({ line }) => line) };
      },
    }),
  ];
}
