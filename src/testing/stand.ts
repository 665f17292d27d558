/** Something a check can be pointed at in a test; `await using` takes it down. */
export interface Stand<Options = Readonly<Record<string, unknown>>> extends AsyncDisposable {
  readonly options: Options;
}

export function stand<Options>(options: Options, close: () => PromiseLike<void> | void): Stand<Options> {
  return { options, [Symbol.asyncDispose]: async () => close() };
}
