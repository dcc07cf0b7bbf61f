// @vitest-environment jsdom
// Living with alerts: history, notes, snooze, sound, budget, over the invented floor.

import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import App from './App.svelte';
import { FakeHost, type FakeOptions } from './lib/host/fake';
import type { Ask } from './lib/host/gen';
import { AskFailure } from './lib/host/host';

async function open(options: FakeOptions = {}, part = ''): Promise<FakeHost> {
  const host = new FakeHost({ hello: { demo: false }, preferences: { language: 'en' }, ...options });
  render(App, { host });
  await waitFor(() => expect(screen.getByTestId('status-line').dataset['mode']).not.toBe('connecting'), { timeout: 3000 });
  await fireEvent.click(screen.getByTestId('nav-alerts'));
  if (part) await fireEvent.click(await screen.findByTestId(`part-${part}`));
  return host;
}
const write = (id: string, value: string) => fireEvent.input(screen.getByTestId(id), { target: { value } });
const asked = (host: FakeHost, name: string) => host.asked.filter((ask) => ask.ask === name);

afterEach(cleanup);

describe('an alert', () => {
  it('opens beside the list with why, rule, course and notes; a note is kept', async () => {
    const host = await open();
    const row = (await screen.findAllByTestId('alert-row'))[0]!;
    await fireEvent.click(row);
    const panel = await screen.findByTestId('alert-panel');
    expect(within(panel).getByTestId('alert-reason').textContent).toContain('the limit is 2:00');
    await waitFor(() => expect(within(panel).getByTestId('alert-course').textContent).toContain('fired'));
    await fireEvent.input(within(panel).getByTestId('note-text'), { target: { value: '<b>Two ill</b>, night team asked' } });
    await fireEvent.click(within(panel).getByTestId('note-write'));
    await waitFor(() => expect(panel.textContent).toContain('<b>Two ill</b>, night team asked'));
    expect(asked(host, 'add_note')).toEqual([{ ask: 'add_note', alert: 'e1', text: '<b>Two ill</b>, night team asked' }]);
    await fireEvent.click(within(panel).getByTestId('panel-acknowledge'));
    await waitFor(() => expect(panel.textContent).toMatch(/acknowledged · until \d\d:\d\d/));
    await waitFor(() => expect(within(panel).getByTestId('alert-course').textContent).toContain('acknowledged'));
    await fireEvent.click(within(panel).getByTestId('panel-rule'));
    expect((await screen.findByTestId('rule-editor')).textContent).toContain('Long wait');
  });

  it('leads to its row', async () => {
    await open();
    await fireEvent.click((await screen.findAllByTestId('alert-row'))[0]!);
    await fireEvent.click(await screen.findByTestId('panel-row'));
    expect((await screen.findByTestId('drawer')).textContent).toContain('Billing EU');
  });

  it('opens when its notification is clicked: its row, or itself where it has none or is over', async () => {
    const host = await open();
    await screen.findAllByTestId('alert-row');
    const click = (id: string) => window.dispatchEvent(new CustomEvent('floorwalker:show', { detail: id }));
    click('e1');
    expect((await screen.findByTestId('drawer')).textContent).toContain('Billing EU');
    click('e3');
    await waitFor(() => expect(screen.getByTestId('alert-panel').dataset['alert']).toBe('e3'));
    host.floor.alerts.splice(0);
    host.push();
    click('past-0');
    await waitFor(() => expect(screen.getByTestId('alert-panel').textContent).toContain('This alert is over.'));
  });

  it('is snoozed for a while, until it is over, or until the shift ends', async () => {
    const host = await open();
    const snooze = async (choice: RegExp) => {
      const offered = await screen.findAllByTestId('snooze');
      await fireEvent.click(offered[0]!);
      await fireEvent.click(await screen.findByRole('menuitem', { name: choice }));
      // The snoozed one offers it no more; only then is the next one the first.
      await waitFor(() => expect(screen.queryAllByTestId('snooze').length).toBe(offered.length - 1));
    };
    await snooze(/^30 minutes/);
    await snooze(/^Until it is over/);
    await snooze(/^Until the end of the shift, \d\d:\d\d/);
    expect(asked(host, 'snooze')).toEqual([
      { ask: 'snooze', alert: 'e1', minutes: 30 },
      { ask: 'snooze', alert: 'e2', minutes: null },
      { ask: 'snooze', alert: 'e3', minutes: null, shift_end: true },
    ]);
  });

  it('cannot be snoozed until the end of a shift that nobody told', async () => {
    await open({ preferences: { language: 'en', shift_ends: [] } });
    await fireEvent.click((await screen.findAllByTestId('snooze'))[0]!);
    await fireEvent.click(await screen.findByRole('menuitem', { name: /say in the settings/ }));
    await screen.findByTestId('setting-shifts');
  });
});

describe('the history', () => {
  it('is saved as a file of what is filtered, and says where, or why not', async () => {
    const host = await open({}, 'history');
    await screen.findAllByTestId('history-row');
    await fireEvent.change(screen.getByTestId('history-rule'), { target: { value: 'Waiting per agent' } });
    await fireEvent.click(screen.getByTestId('history-save-json'));
    expect((await screen.findByTestId('history-saved')).textContent).toContain('The invented floor writes no files.');
    const ask = host.ask.bind(host);
    vi.spyOn(host, 'ask').mockImplementation(((one: Ask): Promise<unknown> =>
      one.ask === 'export_history' ? Promise.resolve({ path: '/downloads/alerts.csv', lines: 3 }) : ask(one)) as typeof host.ask);
    await fireEvent.click(screen.getByTestId('history-save-csv'));
    await waitFor(() => expect(screen.getByTestId('history-saved').textContent).toMatch(/3 lines saved:.*\/downloads\/alerts\.csv/));
    expect(vi.mocked(host.ask).mock.calls.map(([one]) => one).find((one) => one.ask === 'export_history')).toMatchObject({ format: 'csv', query: { rule: 'Waiting per agent', before: null } });
  });

  it('has every transition with value, cases, age of data and actor, and pages', async () => {
    const host = await open({}, 'history');
    const rows = await screen.findAllByTestId('history-row');
    expect(rows.some((row) => row.textContent?.includes('Sam Field'))).toBe(true);
    expect(rows.some((row) => row.textContent?.includes('12 s'))).toBe(true);
    await fireEvent.click(screen.getByTestId('history-older'));
    await waitFor(() => expect(screen.getByText(/^400 lines/)).toBeTruthy());
    const [, second] = asked(host, 'alert_history') as Array<{ query: { before: number | null } }>;
    expect(second!.query.before).toBeGreaterThan(0);
    // Only a window of it is drawn.
    expect(screen.getAllByTestId('history-row').length).toBeLessThan(120);
  });

  it('is filtered by rule, source and text', async () => {
    const host = await open({}, 'history');
    await screen.findAllByTestId('history-row');
    await fireEvent.change(screen.getByTestId('history-rule'), { target: { value: 'Waiting per agent' } });
    await waitFor(() => expect(asked(host, 'alert_history').at(-1)).toMatchObject({ query: { rule: 'Waiting per agent' } }));
    await waitFor(() => expect(screen.getAllByTestId('history-row').every((row) => row.textContent?.includes('Waiting per agent'))).toBe(true));
    await fireEvent.change(screen.getByTestId('history-source'), { target: { value: 'nord' } });
    expect(await screen.findByText('No line matches.')).toBeTruthy();
    await fireEvent.change(screen.getByTestId('history-source'), { target: { value: '' } });
    await fireEvent.change(screen.getByTestId('history-rule'), { target: { value: '' } });
    await screen.findAllByTestId('history-row');
    await write('history-filter', 'acknowledged');
    await waitFor(() => expect(screen.getAllByTestId('history-row').every((row) => row.dataset['transition'] === 'acked')).toBe(true));
  });

  it('opens an alert that is over with its notes', async () => {
    await open({}, 'history');
    const row = (await screen.findAllByTestId('history-row')).find((one) => one.dataset['alert'] === 'past-0')!;
    await fireEvent.click(row);
    const panel = await screen.findByTestId('alert-panel');
    await waitFor(() => expect(panel.textContent).toContain('the night team helped out'));
    expect(panel.textContent).toContain('This alert is over.');
    expect(within(panel).queryByTestId('panel-acknowledge')).toBeNull();
  });

  it('says when it cannot be read', async () => {
    const host = await open();
    const ask = host.ask.bind(host);
    vi.spyOn(host, 'ask').mockImplementation(async (one) => {
      if (one.ask === 'alert_history') throw new AskFailure({ code: 'storage', sentence: 'The desk’s database is damaged.', field: null });
      return ask(one);
    });
    await fireEvent.click(screen.getByTestId('part-history'));
    expect(await screen.findByText('The desk’s database is damaged.')).toBeTruthy();
  });
});

describe('the budget', () => {
  it('is a quiet meter below the limit', async () => {
    await open();
    expect((await screen.findByTestId('budget')).textContent).toContain('4 of at most 10 alerts');
  });
  it('warns above it everywhere, names the noisy rule and leads to it', async () => {
    await open({ loud: true });
    await fireEvent.click(screen.getByTestId('nav-floor'));
    const note = await screen.findByTestId('budget');
    expect(note.textContent).toContain('“Long wait” fired 9 of them');
    await fireEvent.click(within(note).getByTestId('budget-rule'));
    await waitFor(() => expect(screen.getByRole('heading', { name: 'Long wait' })).toBeTruthy());
  });
});

describe('sound and quiet hours', () => {
  it('say that the desktop keeps warnings waiting', async () => {
    await open({ withheld: 2 });
    expect((await screen.findByTestId('withheld')).textContent).toContain('2 warnings wait');
  });

  beforeEach(() => vi.restoreAllMocks());
  const settings = async (options: FakeOptions = {}) => {
    const host = await open(options);
    await fireEvent.click(screen.getByTestId('nav-settings'));
    await screen.findByTestId('setting-volume');
    return host;
  };

  it('are kept, and a machine without sound is told calmly', async () => {
    const host = await settings();
    await fireEvent.change(screen.getByTestId('setting-volume'), { target: { value: '40' } });
    await fireEvent.click(screen.getByTestId('setting-tones-one'));
    await waitFor(() => expect(asked(host, 'set_preferences').at(-1)).toMatchObject({ preferences: { sound_volume: 40, sound_tones: 'one' } }));
    // There is no audio in this page at all.
    await fireEvent.click(screen.getByTestId('sound-test'));
    expect((await screen.findByTestId('sound-said')).textContent).toContain('No sound can be made here');
  });

  it('test the sound of the program where the program makes it, and say its refusal', async () => {
    const host = await settings();
    Object.defineProperty(host, 'sounds', { value: 'program' });
    vi.spyOn(host, 'ask').mockRejectedValue(new AskFailure({ code: 'not_here', sentence: 'This computer has no sound device.', field: null }));
    await fireEvent.click(screen.getByTestId('sound-test-critical'));
    expect((await screen.findByTestId('sound-said')).textContent).toBe('This computer has no sound device.');
  });

  it('take times one a line and say a wrong one at the field', async () => {
    const host = await settings();
    await fireEvent.change(screen.getByTestId('setting-mute'), { target: { value: 'mon-fri 18:00-08:00\nsat-sun 00:00-24:00' } });
    await waitFor(() => expect(asked(host, 'set_preferences').at(-1)).toMatchObject({ preferences: { mute: ['mon-fri 18:00-08:00', 'sat-sun 00:00-24:00'] } }));
    // A quiet hour that holds now is said on every screen.
    expect((await screen.findByTestId('quiet')).textContent).toContain('Quiet hours until');
    vi.spyOn(host, 'ask').mockRejectedValue(new AskFailure({ code: 'invalid_field', sentence: '`25:00` is no time of day.', field: 'shift_ends' }));
    await fireEvent.change(screen.getByTestId('setting-shifts'), { target: { value: '25:00' } });
    expect(await screen.findByText('`25:00` is no time of day.')).toBeTruthy();
    expect(screen.getByTestId('setting-shifts').getAttribute('aria-invalid')).toBe('true');
  });
});
