import type { GroupStanding } from './decide-message.ts';
import type { IncidentRecord } from './incident-record.ts';

/** Members of one incident: beyond it others tell of themselves. */
const maxMembers = 10_000;

/** Whether an incident may tell of others: it is open, somebody was told of it, and no other tells of it. */
export function isLeader({ incident, members, leader, recipients }: IncidentRecord): boolean {
  const isOpen = incident.endedAt === undefined && leader === undefined && members.length < maxMembers;
  return isOpen && recipients.some(({ told }) => told === 'down' || told === 'degraded');
}

/** The one of these leaders that tells of this incident too. One that was told alone stays alone. */
export function leaderFor(record: IncidentRecord, leaders: readonly IncidentRecord[]): IncidentRecord | undefined {
  const wasTold = record.recipients.some(({ told }) => told !== undefined && told !== 'up');
  return wasTold ? undefined : leaders.find(({ incident }) => incident.id !== record.incident.id);
}

export function groupOf(record: IncidentRecord, find: (id: string) => IncidentRecord | undefined): GroupStanding {
  const leader = record.leader === undefined ? undefined : find(record.leader);
  const isLed = leader !== undefined && leader.incident.endedAt === undefined;
  const openMembers = record.members.filter(
    (id) => find(id)?.incident.endedAt === undefined && find(id)?.leader === record.incident.id,
  ).length;
  return { ...(isLed && { leader: leader.name }), openMembers };
}
