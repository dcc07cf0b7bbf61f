// What a conversation is called on the screen.

import type { ConversationRow } from '../host/gen';

/**
 * The customer or subject. Where there is neither, the title is the beginning of the id; ids that count up
 * all begin alike, so their end is shown.
 */
export function called(talk: Pick<ConversationRow, 'id' | 'title'>): string {
  const { id, title } = talk;
  return title.length < id.length && id.startsWith(title) ? `…${id.slice(-8)}` : title;
}
