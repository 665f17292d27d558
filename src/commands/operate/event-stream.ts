import { AppError } from '../../core/errors.ts';

export interface StreamEvent {
  /** Of the last event that had one; empty if none did. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** A result with all its detail came in a frame of at most 1 MiB, and grows when it is written as JSON. */
const maxEventLength = 4 * 1024 * 1024;

/** The events in a stream of server-sent events (HTML standard, section 9.2.6). @throws {AppError} unavailable, when one is too long */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  const event = new EventInProgress();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may have its line feed in the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const whole = event.take(line);
      if (whole) yield whole;
    }
    if (rest.length + event.length > maxEventLength)
      throw new AppError('unavailable', `expected events of at most ${maxEventLength} characters`);
  }
}

class EventInProgress {
  #id = '';
  #type = '';
  #data: string[] = [];
  length = 0;

  /** The event, if this line is the empty one that ends it. */
  take(line: string): StreamEvent | undefined {
    if (line === '') return this.#end();
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    if (field === 'event') this.#type = value;
    if (field === 'data') {
      this.#data.push(value);
      this.length += value.length;
    }
    return undefined;
  }

  #end(): StreamEvent | undefined {
    const [type, data] = [this.#type || 'message', this.#data];
    [this.#type, this.#data, this.length] = ['', [], 0];
    return data.length > 0 ? { id: this.#id, type, data: data.join('\n') } : undefined;
  }
}
