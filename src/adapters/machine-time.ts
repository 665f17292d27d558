import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { MachineTime } from '../core/clock.ts';

/** Of this machine: CLOCK_BOOTTIME, as /proc/uptime gives it in steps of 10 ms. */
export function machineTime(): MachineTime {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { boot, uptimeMs: () => uptime() * 1000 };
}
