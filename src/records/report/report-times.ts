/** Times as people of one zone write them. */
export class ReportTimes {
  readonly zone: string;

  constructor(zone: string) {
    this.zone = zone;
  }

  /** `Wednesday, 2 December 2026` */
  day(time: string): string {
    const date = this.#at(time).toPlainDate();
    return date.toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  }

  /** `09:40:12` */
  clock(time: string): string {
    return this.#at(time).toPlainTime().toString({ smallestUnit: 'second' });
  }

  /** `09:40` */
  minute(time: string): string {
    return this.#at(time).toPlainTime().toString({ smallestUnit: 'minute' });
  }

  /** `2026-12-02 09:40:12 +01:00` */
  full(time: string): string {
    const at = this.#at(time);
    return `${at.toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', ' ')} ${at.offset}`;
  }

  #at(time: string): Temporal.ZonedDateTime {
    return Temporal.Instant.from(time).toZonedDateTimeISO(this.zone);
  }
}

/** `3 h 12 min`, `12 min 18 s`, `4 s` */
export function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours > 0) return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
  if (minutes > 0) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  return `${seconds} s`;
}
