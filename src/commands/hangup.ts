/** Commands that read their files again at SIGHUP. */
const rereading: ReadonlySet<string | undefined> = new Set(['serve', 'start', 'agent', 'run']);

let isAsked = false;
let listener = (): void => {
  isAsked = true;
};

/** Until the command is ready a SIGHUP is remembered: without a handler it would end the process (SF9). */
export function rememberHangup(command: string | undefined): void {
  if (rereading.has(command)) process.on('SIGHUP', () => listener());
}

/**
 * Calls back at each SIGHUP, and at once if one came before. One that comes during a call is answered by one more call after it, so
 * that the file as it was last is the one in force.
 */
export function onHangup(callback: () => Promise<void>): void {
  let isBusy = false;
  listener = () => {
    isAsked = true;
    if (!isBusy) void answer();
  };
  const answer = async (): Promise<void> => {
    isBusy = true;
    while (isAsked) {
      isAsked = false;
      await callback();
    }
    isBusy = false;
  };
  if (isAsked) void answer();
}
