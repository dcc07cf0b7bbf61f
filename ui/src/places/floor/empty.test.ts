import { describe, expect, it } from 'vitest';

import { cell } from '../../lib/host/fake-floor';
import type { QueueRow } from '../../lib/host/gen';
import { emptyPersonal } from './empty';

const row = (over: Partial<QueueRow>): QueueRow =>
  ({ kind: 'personal', waiting: cell(0), waiting_since: null, need: 'normal', acked: false, live: true, ...over }) as QueueRow;

describe('an empty personal queue', () => {
  it('is one in which nobody waits, live or as told last', () => {
    expect(emptyPersonal(row({}))).toBe(true);
    expect(emptyPersonal(row({ waiting: cell(0, 'stale'), need: 'stale', live: false }))).toBe(true);
  });
  it('is not one with somebody in it, one that asks, one that is not known, or a team', () => {
    expect(emptyPersonal(row({ waiting: cell(1) }))).toBe(false);
    expect(emptyPersonal(row({ waiting_since: 5 }))).toBe(false);
    expect(emptyPersonal(row({ need: 'warning' }))).toBe(false);
    expect(emptyPersonal(row({ acked: true }))).toBe(false);
    expect(emptyPersonal(row({ waiting: cell(null) }))).toBe(false);
    expect(emptyPersonal(row({ waiting: cell(null, 'not_given') }))).toBe(false);
    expect(emptyPersonal(row({ kind: 'team' }))).toBe(false);
  });
});
