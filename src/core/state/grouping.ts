import type { GroupStanding } from './decide-message.ts';
import type { IncidentRecord } from './incident-record.ts';

/** Members of one incident: beyond it others tell of themselves. */
const maxMembers = 10_000;

/**
 * The incident that tells of this one: an open one with a common cause, of which somebody was told already, and that is no member
 * itself. One that was told alone stays alone.
 */
export function leaderFor(record: IncidentRecord, others: Iterable<IncidentRecord>): IncidentRecord | undefined {
  const wasTold = record.recipients.some(({ told }) => told !== undefined && told !== 'up');
  if (wasTold || record.account.causes.length === 0) return undefined;
  for (const other of others) {
    const { incident, account, members, leader, recipients } = other;
    if (incident.id === record.incident.id || incident.endedAt !== undefined || leader !== undefined) continue;
    if (members.length >= maxMembers || !recipients.some(({ told }) => told === 'down' || told === 'degraded'))
      continue;
    if (account.causes.some((cause) => record.account.causes.includes(cause))) return other;
  }
  return undefined;
}

export function groupOf(record: IncidentRecord, find: (id: string) => IncidentRecord | undefined): GroupStanding {
  const leader = record.leader === undefined ? undefined : find(record.leader);
  const isLed = leader !== undefined && leader.incident.endedAt === undefined;
  const openMembers = record.members.filter(
    (id) => find(id)?.incident.endedAt === undefined && find(id)?.leader === record.incident.id,
  ).length;
  return { ...(isLed && { leader: leader.name }), openMembers };
}
