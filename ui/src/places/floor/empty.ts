// A personal queue in which nobody waits says little on a busy floor.

import type { QueueRow } from '../../lib/host/gen';

/**
 * Whether a row may be left out. What is not known is not empty, a row that asks for somebody always stays,
 * and an old row counts by what its source told last.
 */
export function emptyPersonal(row: QueueRow): boolean {
  const asks = row.need === 'critical' || row.need === 'warning' || row.acked;
  return row.kind === 'personal' && row.waiting.value === 0 && row.waiting_since === null && !asks;
}
