import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { nearestWord } from '../../core/nearest.ts';
import { quoted } from '../../core/quoted.ts';
import { counted } from '../../terminal/units.ts';

const maxLines = 20;
const maxNamed = 3;

/**
 * A line for each agent that monitors name and nobody knows: it may join later, or be a typing error. `known` are the names of those
 * that have joined, or will because this configuration has them.
 */
export function unknownAgentLines(monitors: readonly MonitorSpec[], known: readonly string[]): readonly string[] {
  const isKnown = new Set(known);
  const named = monitors.flatMap((monitor) => (monitor.agents ?? []).map((agent) => ({ agent, monitor })));
  const unknown = Map.groupBy(
    named.filter(({ agent }) => !isKnown.has(agent)),
    ({ agent }) => agent,
  );
  const lines = [...unknown].map(([agent, uses]) => {
    const nearest = nearestWord(agent, known);
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    const idle = uses.filter(({ monitor }) => !monitor.agents?.some((name) => isKnown.has(name)));
    const names = idle.slice(0, maxNamed).map(({ monitor }) => monitor.name);
    const more = idle.length > maxNamed ? ` and ${idle.length - maxNamed} more` : '';
    const verb = idle.length === 1 ? 'runs' : 'run';
    const effect = idle.length === 0 ? '' : ` Until it joins ${names.join(', ')}${more} ${verb} nowhere.`;
    return `No agent is called ${quoted(agent)}, named by ${counted(uses.length, 'monitor')}${hint === '' ? '.' : hint}${effect}`;
  });
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines), `${lines.length - maxLines} more names of agents are unknown.`];
}
