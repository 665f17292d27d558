import type { Clock } from '../../core/clock.ts';
import type { Bus } from '../../server/bus/bus.ts';
import { writeAgentState } from '../../server/fleet/agent-state.ts';
import { Fleet } from '../../server/fleet/fleet.ts';
import type { Store } from '../../server/store/store.ts';

interface FleetStore {
  readonly clock: Clock;
  readonly store: Pick<Store, 'saveAbsence' | 'saveAgentStates'>;
}

/** Who is there, kept in the store; each change is an event. */
export function buildFleet({ clock, store }: FleetStore, publish: Bus['publish']): Fleet {
  /** How long agents were away that are just back. */
  const away = new Map<string, number>();
  return new Fleet({
    clock,
    onChange({ id, name, address, status }, before) {
      const awayMs = away.get(id);
      away.delete(id);
      const back = awayMs !== undefined && { awayMs };
      publish({ type: 'agent', agentId: id, name, address, status, before, ...back });
    },
    onReturn(agentId, { from, to }) {
      away.set(agentId, to - from);
      void store.saveAbsence(agentId, { from, to, reason: 'unheard' }).catch(() => {});
    },
    keep: (states) => store.saveAgentStates(states.map(writeAgentState)),
  });
}
