import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { children, intervalMs, monitors, type Contender } from './outages.ts';
import type { Resolver } from './resolver.ts';
import { Daemon, wait, type Told } from './stage.ts';

export interface Parts {
  readonly folder: string;
  readonly hook: string;
  readonly targetPort: number;
  /** Names are used where there is one. */
  readonly resolver: Resolver | undefined;
}

/** Defaults of Alertmanager (group_wait 30 s, group_interval 5 min) divided by 15, as the looks are 15 times closer than a minute's half. */
const alertmanagerConfig = (hook: string): string => `
route: { receiver: hook, group_by: [monitor], group_wait: 2s, group_interval: 20s, repeat_interval: 4h }
inhibit_rules:
  - { source_matchers: ['monitor="parent"'], target_matchers: ['parent="parent"'] }
receivers: [{ name: hook, webhook_configs: [{ url: '${hook}', send_resolved: true }] }]
`;

const rules = `
groups:
  - name: down
    rules: [{ alert: Down, expr: probe_success == 0, for: ${(2 * intervalMs) / 1000}s }]
`;

/** Debian's Prometheus, blackbox exporter and Alertmanager, configured as their documentation has it. */
export class Prometheus implements Contender, AsyncDisposable {
  readonly #daemons: readonly Daemon[];
  readonly #alertmanager: string;
  readonly #resolver: Resolver | undefined;

  private constructor(daemons: readonly Daemon[], alertmanager: string, resolver: Resolver | undefined) {
    this.#daemons = daemons;
    this.#alertmanager = alertmanager;
    this.#resolver = resolver;
  }

  static async start({ folder, hook, targetPort, resolver }: Parts): Promise<Prometheus> {
    await mkdir(folder, { recursive: true });
    const [prometheus, blackbox, alertmanager] = [await closedPort(), await closedPort(), await closedPort()];
    const host = resolver ? 'web.test' : '127.0.0.1';
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const targets = monitors.map((name) => ({
      targets: [`http://${host}:${targetPort}/${name}`],
      labels: { monitor: name, ...(children.some((child) => child === name) && { parent: 'parent' }) },
    }));
    const scrape = {
      job_name: 'probe',
      metrics_path: '/probe',
      params: { module: ['http'] },
      static_configs: targets,
      relabel_configs: [
        { source_labels: ['__address__'], target_label: '__param_target' },
        { target_label: '__address__', replacement: `127.0.0.1:${blackbox}` },
      ],
    };
    const config = {
      global: { scrape_interval: `${intervalMs}ms`, scrape_timeout: '1500ms', evaluation_interval: `${intervalMs}ms` },
      rule_files: [await file('rules.yml', rules)],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager}`] }] }] },
      scrape_configs: [scrape],
    };
    const modules = { modules: { http: { prober: 'http', timeout: '1s', http: { preferred_ip_protocol: 'ip4' } } } };
    const exporter = [
      'prometheus-blackbox-exporter',
      `--config.file=${await file('blackbox.yml', JSON.stringify(modules))}`,
      `--web.listen-address=127.0.0.1:${blackbox}`,
    ];
    const manager = [
      'prometheus-alertmanager',
      `--config.file=${await file('alertmanager.yml', alertmanagerConfig(hook))}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${alertmanager}`,
      '--cluster.listen-address=',
    ];
    const server = [
      'prometheus',
      `--config.file=${await file('prometheus.yml', JSON.stringify(config))}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${prometheus}`,
    ];
    const daemons = [resolver ? resolver.wrap(exporter) : exporter, manager, server].map((words) => new Daemon(words));
    for (const daemon of daemons) daemon.start();
    await wait(12_000);
    return new Prometheus(daemons, `http://127.0.0.1:${alertmanager}`, resolver);
  }

  async restart(): Promise<void> {
    for (const daemon of this.#daemons.slice(1)) await daemon.stop();
    await wait(2000);
    for (const daemon of this.#daemons.slice(1)) daemon.start();
  }

  async silence(ms: number): Promise<void> {
    const now = Date.now();
    const response = await fetch(`${this.#alertmanager}/api/v2/silences`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        matchers: [{ name: 'monitor', value: 'web', isRegex: false, isEqual: true }],
        startsAt: new Date(now).toISOString(),
        endsAt: new Date(now + ms).toISOString(),
        createdBy: 'bench',
        comment: 'bench',
      }),
    });
    if (!response.ok) throw new Error(`no silence: ${response.status} ${await response.text()}`);
  }

  async killResolver(): Promise<void> {
    await this.#resolver?.stop();
  }

  async startResolver(): Promise<void> {
    this.#resolver?.start();
    await wait(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) await daemon.stop();
  }
}

interface Alert {
  readonly status: string;
  readonly labels: { readonly monitor?: string };
}

export function readAlertmanager(body: string): readonly Omit<Told, 'at'>[] {
  // What Alertmanager's webhook sends.
  const { alerts } = JSON.parse(body) as { readonly alerts: readonly Alert[] };
  return alerts.map(({ status, labels }) => ({
    monitor: labels.monitor ?? '?',
    state: status === 'firing' ? 'down' : 'up',
  }));
}
