/** The text format of Prometheus, version 0.0.4. */

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** One value without labels. */
export function single(type: MetricFamily['type'], [name, help]: readonly [name: string, help: string], value: number) {
  return { name, type, help, samples: [{ labels: {}, value }] } satisfies MetricFamily;
}

/** Families without a sample are left out: what was not measured is absent. */
export function expositionOf(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(textOf)
    .join('');
}

function textOf({ name, type, help, samples }: MetricFamily): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

/** Label values escape backslash, quote and line feed. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}
