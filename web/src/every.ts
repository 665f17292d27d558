import { useEffect, useState } from 'preact/hooks';

/** What `load` last resolved to, asked again from time to time while it is looked at; `again` asks at once. */
export function useEvery<Value>(
  everyMs: number,
  load: () => Promise<Value>,
): { readonly value: Value | undefined; readonly trouble: string; readonly again: () => Promise<void> } {
  const [value, setValue] = useState<Value>();
  const [trouble, setTrouble] = useState('');
  const again = async (): Promise<void> => {
    try {
      setValue(await load());
      setTrouble('');
    } catch (error) {
      setTrouble((error as Error).message);
    }
  };
  useEffect(() => {
    void again();
    const timer = setInterval(() => document.hidden || void again(), everyMs);
    return () => clearInterval(timer);
  }, []);
  return { value, trouble, again };
}
