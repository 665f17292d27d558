import { dependencyCycle } from './parents.ts';

interface Dependent {
  readonly id: string;
  readonly name: string;
  readonly alert?: { readonly dependsOn?: readonly string[] };
}

/** Monitors that depend on each other in a circle, by name, the first again at its end; undefined if none do. */
export function circleAmong(monitors: readonly Dependent[]): readonly string[] | undefined {
  const ids = new Map(monitors.flatMap(({ id, name }) => [[name, id] as const, [id, id] as const]));
  const edges = new Map(
    monitors.map(({ id, alert }) => [id, (alert?.dependsOn ?? []).flatMap((name) => ids.get(name) ?? [])] as const),
  );
  const names = new Map(monitors.map(({ id, name }) => [id, name]));
  return dependencyCycle(edges)?.map((id) => names.get(id) ?? id);
}
