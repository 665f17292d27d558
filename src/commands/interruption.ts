/** Aborts at the first Ctrl-C, or when the process is told to end; the second ends it as usual. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new DOMException('Interrupted.', 'AbortError'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return controller.signal;
}
