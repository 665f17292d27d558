import { useState } from 'preact/hooks';
import { setUpKey, signIn } from '../person.ts';
import { texts } from '../texts.ts';

export function SignIn() {
  const [trouble, setTrouble] = useState('');
  const [isBusy, setBusy] = useState(false);
  const isFirst = setUpKey.value !== undefined;
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { name, password } = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement));
    setBusy(true);
    try {
      // Both are fields for text.
      await signIn({ name: name as string, password: password as string });
    } catch (error) {
      setTrouble((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <main class="door">
      <form class="card" onSubmit={(event) => void send(event)}>
        <h1>{isFirst ? texts.setUp : texts.signIn}</h1>
        <label>
          {texts.name}
          <input name="name" autocomplete="username" required autofocus />
        </label>
        <label>
          {texts.password}
          <input
            name="password"
            type="password"
            autocomplete={isFirst ? 'new-password' : 'current-password'}
            minLength={isFirst ? 12 : 1}
            required
          />
        </label>
        <p class="hint">{isFirst ? texts.setUpHint : texts.signInHint}</p>
        <p class="trouble" role="alert">
          {trouble}
        </p>
        <button class="btn primary" disabled={isBusy}>
          {isFirst ? texts.setUp : texts.signIn}
        </button>
      </form>
    </main>
  );
}
