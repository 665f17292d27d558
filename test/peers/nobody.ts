const nobody = 65_534;

/** Takes this process's privileges away until disposed, as an agent runs with none. Needs root. */
export function becomeNobody(): Disposable {
  // Both exist wherever there are users; the tests that call this need root.
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  return {
    [Symbol.dispose]() {
      process.seteuid?.(0);
      process.setegid?.(0);
    },
  };
}
