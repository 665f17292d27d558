import { computed, signal } from '@preact/signals';

/** The address is the state of the page: whoever copies it sees the same. */
const address = signal(location.pathname + location.search);
addEventListener('popstate', () => (address.value = location.pathname + location.search));

const url = computed(() => new URL(address.value, location.origin));

/** The words of the path: `/monitors/42` is `['monitors', '42']`. */
export const words = computed(() => url.value.pathname.split('/').filter(Boolean).map(decodeURIComponent));

export function parameter(name: string): string {
  return url.value.searchParams.get(name) ?? '';
}

export function go(path: string): void {
  history.pushState(null, '', path);
  address.value = path;
  scrollTo(0, 0);
}

/** Changes one parameter in place: typing makes no history. */
export function setParameter(name: string, value: string): void {
  const next = new URL(url.value);
  if (value === '') next.searchParams.delete(name);
  else next.searchParams.set(name, value);
  history.replaceState(null, '', next.pathname + next.search);
  address.value = next.pathname + next.search;
}

/** A click that a person means for this tab. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest('a');
  if (!link || link.origin !== location.origin || link.target !== '') return;
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
