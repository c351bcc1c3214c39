import { shellWord } from '../shell-word.js';

/** What to type on another machine. */
export function joinLines(urls: readonly string[], token: string | null): string[] {
  const secret = token === null ? '' : ` --token ${shellWord(token)}`;
  return ['Workers join with:', ...urls.map((url) => `  dtrain worker ${url}${secret}`)];
}
