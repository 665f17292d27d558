import { quoted } from '../core/quoted.ts';
import { circleAmong } from '../core/state/dependencies.ts';
import type { WrittenFile } from './mistake.ts';
import type { ConfiguredMonitor } from './monitor-entry.ts';

interface Placed {
  readonly monitor: ConfiguredMonitor;
  readonly file: WrittenFile;
}

/** Reports monitors that depend on each other in a circle, and warns of names that no monitor of the file has. */
export function reportDependencies(placed: readonly Placed[]): void {
  const known = new Set(placed.flatMap(({ monitor: { id, name } }) => [id, name]));
  for (const { monitor, file } of placed)
    for (const name of monitor.spec.alert?.dependsOn ?? [])
      if (!known.has(name))
        file.warn(
          ['dependsOn'],
          `no monitor of the configuration is called ${quoted(name)}; until there is one it is left out`,
        );
  const circle = circleAmong(placed.map(({ monitor }) => monitor.spec));
  if (!circle) return;
  const first = placed.find(({ monitor }) => monitor.name === circle[0]);
  first?.file.report(['dependsOn'], `expected no circle, got ${circle.map((name) => quoted(name)).join(' on ')}`);
}
