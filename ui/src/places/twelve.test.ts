// @vitest-environment jsdom
// The twelve questions that the Real-Time State API's own page says it can answer, asked of the screen.

import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';

import App from '../App.svelte';
import { cell } from '../lib/host/fake-floor';
import { FakeHost } from '../lib/host/fake';
import type { AgentFlag, AgentRow, Channel, ConversationRow, Presence, QueueRow, StartedVia } from '../lib/host/gen';

const SEP = '\u001f';
const MINUTE = 60_000;
const here = { source: 'help', source_name: 'Help desk', vendor: 'beyondtrust' } as const;

interface Session {
  who: string;
  /** Minutes since it began. */
  old: number;
  rep?: string;
  channel: Channel;
  via: StartedVia;
  label: string;
  /** Minutes until it is expected to be answered. */
  expected?: number;
}
const SESSIONS: Session[] = [
  { who: 'Bo Lind', old: 9, channel: 'chat', via: 'issue_form', label: 'issue_submission', expected: 3 },
  { who: 'Di Marsh', old: 2, channel: 'chat', via: 'click_to_chat', label: 'click_to_chat' },
  { who: 'Cy Ode', old: 6, rep: 'Ana Ruiz', channel: 'rdp', via: 'session_key', label: 'session_key' },
  { who: 'Ed Noor', old: 12, rep: 'Ana Ruiz', channel: 'desktop', via: 'jump', label: 'jump_client' },
];
const REPS: Array<[string, Presence, AgentFlag[], number, number]> = [
  ['Ana Ruiz', 'busy', ['busy', 'idle'], 2, 95],
  ['Bea Holm', 'available', [], 0, 30],
  ['Cato Lie', 'idle', ['idle'], 0, 61],
  ['Dag Vik', 'away', ['not_accepting'], 0, 5],
];

/** One queue of a support desk, its sessions and its representatives. */
async function open(place: string | null): Promise<void> {
  const host = new FakeHost({ hello: { demo: false }, preferences: { language: 'en' } });
  const { floor } = host;
  const now = host.now();
  floor.sources = [{ ...floor.sources[0]!, key: 'help', id: 'help', name: 'Help desk', vendor: 'beyondtrust', health: 'live' }];
  const old = floor.queues[0]!;
  const queue: QueueRow = {
    ...old, ...here, key: `help${SEP}team:2`, id: 'team:2', name: 'Service Desk', kind: 'team', need: 'normal', live: true,
    waiting: cell(2), waiting_since: now - 9 * MINUTE, open: cell(2), online: cell(4), expected_at: null,
  };
  floor.queues = [queue];
  floor.alerts = [];
  floor.conversations = SESSIONS.map((one, n) => {
    const row: ConversationRow = {
      ...here, key: `help${SEP}s${n}`, id: `s${n}`, state: one.rep === undefined ? 'waiting' : 'active', title: one.who,
      queue_name: 'Service Desk', agent_names: one.rep === undefined ? [] : [one.rep], channel: one.channel, started_via: one.via,
      started_via_label: one.label, created_at: now - one.old * MINUTE, waiting_since: now - one.old * MINUTE,
      answered_at: one.rep === undefined ? null : now - MINUTE, expected_at: one.expected === undefined ? null : now + one.expected * MINUTE,
      last_customer_message_at: null, last_agent_message_at: null, need: 'normal', live: true,
    };
    return { ...row, queue_id: 'team:2' };
  });
  floor.agents = REPS.map(([name, presence, flags, handling, minutes], n) => {
    const row: AgentRow = {
      ...here, key: `help${SEP}a${n}`, id: `a${n}`, name, presence, presence_label: null, flags, presence_since: now - 65_000,
      presence_since_kind: 'observed', logged_in_at: now - minutes * MINUTE, open: cell(handling), capacity: cell(null, 'not_given'),
      need: 'normal', acked: false, live: true, data_at: now,
    };
    return row;
  });
  render(App, { host });
  await waitFor(() => expect(screen.getByTestId('status-line').dataset['mode']).not.toBe('connecting'), { timeout: 3000 });
  if (place !== null) await fireEvent.click(screen.getByRole('button', { name: new RegExp(`^${place}`) }));
}
const sessions = () => screen.findAllByTestId('conversation-row');
const named = (all: HTMLElement[], who: string) => all.find((row) => row.textContent?.includes(who))!;
const filter = async (text: string) => {
  await sessions();
  await fireEvent.input(screen.getByRole('searchbox', { name: 'Filter conversations' }), { target: { value: text } });
};
const left = async (count: number) => waitFor(async () => expect(await sessions()).toHaveLength(count));

afterEach(cleanup);

describe('the twelve questions', () => {
  it('1 what sessions are waiting in a queue?', async () => {
    await open(null);
    const row = (await screen.findAllByTestId('queue-row'))[0]!;
    expect(row.textContent).toContain('Service Desk');
    await fireEvent.keyDown(document.body, { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'Enter' });
    const drawer = await screen.findByTestId('drawer');
    await waitFor(() => expect(drawer.textContent).toContain('Bo Lind'));
    expect(drawer.textContent).toContain('Di Marsh');
    expect(drawer.textContent).not.toContain('Cy Ode');
  });

  it('2 what sessions have a representative in them?', async () => {
    await open('Conversations');
    const all = await sessions();
    expect(all).toHaveLength(4);
    expect(named(all, 'Cy Ode').textContent).toContain('Ana Ruiz');
    await fireEvent.click(screen.getByRole('button', { name: 'active' }));
    await left(2);
  });

  it('3 what sessions have been in the system for longer than X minutes?', async () => {
    await open('Conversations');
    const all = await sessions();
    expect(screen.getByText('In all')).toBeTruthy();
    expect(named(all, 'Ed Noor').textContent).toMatch(/12:0/);
    expect(named(all, 'Cy Ode').textContent).toMatch(/6:0/);
  });

  it('4 what is the estimated wait time for a session?', async () => {
    await open('Conversations');
    const all = await sessions();
    expect(named(all, 'Bo Lind').textContent).toMatch(/3:00|2:5\d/);
    // No estimate is none, not zero.
    expect(named(all, 'Di Marsh').textContent).toContain('–');
    expect(named(all, 'Di Marsh').textContent).not.toContain('0:00');
  });

  it('5 how many chat support sessions are in progress?', async () => {
    await open('Conversations');
    await filter('chat ·');
    await left(2);
    expect(screen.getByText('2 of 4 conversations')).toBeTruthy();
  });

  it('6 how many RDP sessions are in progress?', async () => {
    await open('Conversations');
    await filter('rdp');
    await left(1);
    expect(screen.getByText('1 of 4 conversations')).toBeTruthy();
  });

  it('7 how many sessions started from a session key or the issue submission form are in progress?', async () => {
    await open('Conversations');
    await filter('session key');
    await left(1);
    // In the source's own word, too.
    await filter('issue_submission');
    await waitFor(async () => expect((await sessions())[0]!.textContent).toContain('issue form'));
    await left(1);
  });

  it('8 which representatives are logged in?', async () => {
    await open('Agents');
    const rows = await screen.findAllByTestId('agent-row');
    expect(rows.map((row) => REPS.find(([name]) => row.textContent?.includes(name))?.[0]).sort()).toEqual(REPS.map(([name]) => name));
  });

  it('9 which representatives are available to accept sessions from a specific queue?', async () => {
    await open(null);
    await screen.findAllByTestId('queue-row');
    await fireEvent.keyDown(document.body, { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'Enter' });
    const drawer = await screen.findByTestId('drawer');
    await waitFor(() => expect(drawer.textContent).toContain('Bea Holm'));
    const line = within(drawer).getByText('Bea Holm').closest('li')!;
    expect(line.textContent).toContain('available');
    expect(within(drawer).getByText('Dag Vik').closest('li')!.textContent).toContain('away');
  });

  it('10 in which sessions is a representative participating?', async () => {
    await open('Conversations');
    await filter('Ana Ruiz');
    await left(2);
    expect((await sessions()).every((row) => /Cy Ode|Ed Noor/.test(row.textContent ?? ''))).toBe(true);
  });

  it('11 how long has a representative been logged in?', async () => {
    await open('Agents');
    const rows = await screen.findAllByTestId('agent-row');
    expect(named(rows, 'Bea Holm').textContent).toMatch(/30:0/);
    expect(named(rows, 'Ana Ruiz').textContent).toMatch(/1:35:0/);
  });

  it('12 which representatives are idle, are busy, or have automatic session assignment disabled?', async () => {
    await open('Agents');
    const rows = await screen.findAllByTestId('agent-row');
    // They can hold together.
    expect(named(rows, 'Ana Ruiz').textContent).toMatch(/busy.*idle/);
    expect(named(rows, 'Cato Lie').textContent).toContain('idle');
    expect(named(rows, 'Dag Vik').textContent).toContain('away');
    await fireEvent.click(screen.getByRole('button', { name: /^away/ }));
    await waitFor(async () => expect(await screen.findAllByTestId('agent-row')).toHaveLength(1));
  });
});
