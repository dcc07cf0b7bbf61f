// @vitest-environment jsdom
// The rule editor over the invented floor.

import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';

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
const rule = async (name: string) => {
  const row = (await screen.findAllByTestId('rule-row')).find((one) => one.dataset['rule'] === name)!;
  await fireEvent.click(row.querySelector('.open')!);
  await screen.findByTestId('rule-editor');
  return row;
};
const write = (id: string, value: string) => fireEvent.input(screen.getByTestId(id), { target: { value } });
const asked = (host: FakeHost, name: string) => host.asked.filter((ask) => ask.ask === name);

afterEach(cleanup);

describe('the rules', () => {
  it('are listed: yours, changed ones, default ones, off and unusable', async () => {
    await open({}, 'rules');
    const rows = await screen.findAllByTestId('rule-row');
    const text = (name: string) => rows.find((row) => row.dataset['rule'] === name)!.textContent;
    expect(text('VIP billing')).toContain('yours');
    expect(text('Long wait')).toContain('default');
    expect(text('Slow replies')).toContain('off');
    expect(text('Night shift')).toContain('did you mean `queue.longest_wait`?');
    expect(text('VIP billing')).toContain('1 override');
  });

  it('fire now for somebody, and that is said before anything is saved', async () => {
    await open({}, 'rules');
    await rule('Long wait');
    await waitFor(() => expect(screen.getByTestId('rule-now').textContent).toContain('for Billing EU'));
    await write('rule-when-value-1', '9m');
    await write('rule-critical-value-1', '10m');
    await waitFor(() => expect(screen.getByTestId('rule-now').textContent).toContain('for nobody'));
  });

  it('show what the form says as text, and what the text says as form', async () => {
    await open({}, 'rules');
    await rule('Long wait');
    await write('rule-when-value-1', '90s');
    await write('rule-keep', '45s');
    await fireEvent.click(screen.getByTestId('rule-view-text'));
    await waitFor(() => expect((screen.getByTestId('rule-text') as HTMLTextAreaElement).value).toContain('when = "queue.longest_wait > 90s"'));
    const text = screen.getByTestId('rule-text') as HTMLTextAreaElement;
    expect(text.value).toContain('keep = "45s"');
    await write('rule-text', text.value.replace('> 90s', '> 75s').replace('keep = "45s"', 'keep = "20s"'));
    await fireEvent.click(screen.getByTestId('rule-view-form'));
    await waitFor(() => expect((screen.getByTestId('rule-when-value-1') as HTMLInputElement).value).toBe('75s'));
    expect((screen.getByTestId('rule-keep') as HTMLInputElement).value).toBe('20s');
  });

  it('mark a typo and a wrong unit at the place, in both views, and cannot be saved then', async () => {
    const host = await open({}, 'rules');
    await rule('Night shift');
    // A rule that cannot be read opens as text.
    const faults = await screen.findByTestId('rule-text-faults');
    await waitFor(() => expect(faults.textContent).toContain('Line 3, column 9'));
    expect(faults.textContent).toContain('^^^');
    expect(document.querySelector('.sheet mark')?.textContent).toBe('queue.longst_wait');
    expect((screen.getByTestId('rule-save') as HTMLButtonElement).disabled).toBe(true);
    await fireEvent.click(screen.getByTestId('rule-close'));
    await rule('Long wait');
    await write('rule-when-value-1', '90');
    const fault = await screen.findByTestId('rule-fault');
    expect(fault.textContent).toContain('needs its unit');
    expect(fault.querySelector('mark')?.textContent).toBe('90');
    expect(screen.getByTestId('rule-when-value-1').getAttribute('aria-invalid')).toBe('true');
    await fireEvent.click(screen.getByTestId('rule-save'));
    expect(asked(host, 'save_rule')).toHaveLength(0);
  });

  it('take a text of a million characters calmly, and send none of it', async () => {
    const host = await open({}, 'rules');
    await rule('Long wait');
    await fireEvent.click(screen.getByTestId('rule-view-text'));
    const before = asked(host, 'check_rule').length;
    await write('rule-text', 'x'.repeat(1_000_000));
    await waitFor(() => expect(screen.getByTestId('rule-text-faults').textContent).toContain('far too long'));
    expect(asked(host, 'check_rule')).toHaveLength(before);
    expect((screen.getByTestId('rule-save') as HTMLButtonElement).disabled).toBe(true);
    await write('rule-text', '[[alert]]\nname = "Small"\nwhen = "queue.waiting > 3"');
    await waitFor(() => expect(screen.queryByText(/far too long/)).toBeNull());
  });

  it('pick a figure from the metric table with unit, formula and direction, by keyboard', async () => {
    await open({}, 'rules');
    await rule('Long wait');
    await fireEvent.click(within(screen.getByTestId('rule-when')).getByTestId('metric'));
    const find = screen.getByTestId('metric-find');
    expect(screen.getByRole('listbox').textContent).toContain('time · more is worse');
    // A figure of now and one of a window may have one name.
    expect(screen.getByRole('listbox').textContent).toContain('waiting@…');
    await fireEvent.input(find, { target: { value: 'in time' } });
    await waitFor(() => expect(screen.getByRole('listbox').children).toHaveLength(1));
    expect(screen.getByRole('listbox').textContent).toContain('answered in time');
    await fireEvent.keyDown(find, { key: 'Enter' });
    // A windowed figure where less is worse: the comparison turns and the window stands beside it.
    await waitFor(() => expect(within(screen.getByTestId('rule-when')).getByLabelText<HTMLSelectElement>('Over which time').value).toBe('30m'));
    expect(within(screen.getByTestId('rule-when')).getByLabelText<HTMLSelectElement>('Comparison').value).toBe('<');
  });

  it('are saved under their name, replace a default one, and go back to it', async () => {
    const host = await open({}, 'rules');
    await rule('Long wait');
    await write('rule-when-value-1', '90s');
    await fireEvent.click(screen.getByTestId('rule-save'));
    await waitFor(() => expect(asked(host, 'save_rule')).toHaveLength(1));
    expect(asked(host, 'save_rule')[0]).toMatchObject({ replaces: null, text: expect.stringContaining('90s') as string });
    await waitFor(() => expect(screen.getByTestId('rule-editor').textContent).toContain('default, changed by you'));
    await fireEvent.click(screen.getByTestId('rule-remove'));
    await fireEvent.click(await screen.findByTestId('rule-remove-sure'));
    await waitFor(() => expect(asked(host, 'remove_rule')).toEqual([{ ask: 'remove_rule', name: 'Long wait' }]));
    await waitFor(() => expect((screen.getByTestId('rule-when-value-1') as HTMLInputElement).value).toBe('60s'));
  });

  it('say a taken name at its field', async () => {
    await open({}, 'rules');
    await screen.findAllByTestId('rule-row');
    await fireEvent.click(screen.getByTestId('rule-new'));
    await screen.findByTestId('rule-form');
    await write('rule-name', 'VIP billing');
    expect((await screen.findByText(/is taken; choose another/)).closest('#rule-name-fault')).toBeTruthy();
    expect(screen.getByTestId('rule-name').getAttribute('aria-invalid')).toBe('true');
  });

  it('are switched on and off from the list', async () => {
    const host = await open({}, 'rules');
    const row = (await screen.findAllByTestId('rule-row')).find((one) => one.dataset['rule'] === 'Long wait')!;
    await fireEvent.click(within(row).getByRole('switch'));
    await waitFor(() => expect(asked(host, 'set_rule_enabled')).toEqual([{ ask: 'set_rule_enabled', name: 'Long wait', enabled: false }]));
  });

  it('have overrides for some queues, of which one says for which', async () => {
    const host = await open({}, 'rules');
    await rule('Long wait');
    await fireEvent.click(screen.getByTestId('rule-add-override'));
    await fireEvent.input(screen.getByTestId('rule-override-1-queue'), { target: { value: 'shop:*billing*' } });
    await fireEvent.keyDown(screen.getByTestId('rule-override-1-queue'), { key: 'Enter' });
    await fireEvent.click(screen.getByRole('button', { name: 'Another condition' }));
    await write('rule-override-1-when-value-1', '30s');
    await fireEvent.click(screen.getByTestId('rule-save'));
    await waitFor(() => expect(asked(host, 'save_rule')).toHaveLength(1));
    const saved = asked(host, 'save_rule')[0] as { text: string };
    expect(saved.text).toContain('[[alert.override]]\nqueue = ["shop:*billing*"]\nwhen = "queue.longest_wait > 30s"');
  });

  it('are tried on the past: how often, when, for how long, and against the rule as saved', async () => {
    const host = await open({}, 'rules');
    await rule('Long wait');
    await write('rule-when-value-1', '3m');
    await write('rule-critical-value-1', '4m');
    await fireEvent.click(screen.getByRole('button', { name: '7 days' }));
    await fireEvent.click(screen.getByTestId('rule-try'));
    expect((await screen.findByTestId('rule-past-sum')).textContent).toMatch(/Would have fired \d+ times/);
    const past = screen.getByTestId('rule-past');
    await waitFor(() => expect(past.textContent).toMatch(/as it is saved: \d+ times/));
    expect(past.textContent).toContain('longest');
    expect(past.querySelectorAll('.track').length).toBeGreaterThanOrEqual(7);
    const [first] = asked(host, 'try_rule') as Array<{ from: string; to: string }>;
    expect(Date.parse(first!.to) - Date.parse(first!.from)).toBe(7 * 86_400_000);
    await write('rule-when-value-1', '2m');
    expect(await screen.findByText(/changed the rule since/)).toBeTruthy();
  });

  it('can be ended while they are tried on the past, and tell how far they are', async () => {
    const host = await open({}, 'rules');
    await rule('Long wait');
    const ask = host.ask.bind(host);
    let answer: (told: unknown) => void = () => undefined;
    const spy = vi.spyOn(host, 'ask').mockImplementation(((one: Ask): Promise<unknown> => {
      if (one.ask === 'try_rule') return new Promise<unknown>((done) => (answer = done));
      if (one.ask === 'trial_progress') return Promise.resolve({ running: true, done: 0.42 });
      return ask(one);
    }) as typeof host.ask);
    await fireEvent.click(screen.getByTestId('rule-try'));
    expect((await screen.findByTestId('rule-past-done')).textContent).toBe('42%');
    await fireEvent.click(screen.getByTestId('rule-try-stop'));
    const sent = spy.mock.calls.map(([one]) => one);
    const tried = sent.find((one) => one.ask === 'try_rule');
    expect(sent.at(-1)).toEqual({ ask: 'stop_trial', editor: tried?.ask === 'try_rule' ? tried.editor : 'none' });
    expect(screen.queryByTestId('rule-try-stop')).toBeNull();
    // What the ended one still answers is not shown.
    answer({ report: null, errors: [], stopped: true });
    await waitFor(() => expect(screen.getByTestId('rule-try')).toBeTruthy());
    expect(screen.queryByTestId('rule-past-sum')).toBeNull();
  });

  it('offer the groups and webhooks that the file has', async () => {
    await open({}, 'rules');
    await rule('Long wait');
    const offered = (field: string) => [...document.querySelectorAll(`#rule-${field}-options option`)].map((one) => (one as HTMLOptionElement).value);
    expect(offered('scope-group')).toEqual(['Billing', 'Night']);
    expect(offered('notify')).toEqual(['teams-floor']);
  });

  it('say in words when the past cannot be tried', async () => {
    const host = await open({}, 'rules');
    await rule('Long wait');
    const ask = host.ask.bind(host);
    vi.spyOn(host, 'ask').mockImplementation(async (one) => {
      if (one.ask === 'try_rule') throw new AskFailure({ code: 'storage', sentence: 'Nothing is stored yet; come back in a while.', field: null });
      return ask(one);
    });
    await fireEvent.click(screen.getByTestId('rule-try'));
    expect((await screen.findByTestId('rule-past-failed')).textContent).toContain('Nothing is stored yet');
  });

  it('do not lose what was written when another one is chosen', async () => {
    await open({}, 'rules');
    await rule('Long wait');
    await write('rule-when-value-1', '90s');
    await waitFor(() => expect(screen.getByText('Not saved yet.')).toBeTruthy());
    const other = (await screen.findAllByTestId('rule-row')).find((one) => one.dataset['rule'] === 'VIP billing')!;
    await fireEvent.click(other.querySelector('.open')!);
    expect((screen.getByTestId('rule-when-value-1') as HTMLInputElement).value).toBe('90s');
    await fireEvent.click(screen.getByTestId('rule-discard'));
    await waitFor(() => expect(screen.getByRole('heading', { name: 'VIP billing' })).toBeTruthy());
  });

  it('say in words that this face has none, or that they could not be read', async () => {
    const host = new FakeHost({ hello: { demo: false }, preferences: { language: 'en' } });
    const ask = host.ask.bind(host);
    vi.spyOn(host, 'ask').mockImplementation(async (one) => {
      if (one.ask === 'rules') throw new AskFailure({ code: 'not_here', sentence: 'Rules are not shown here.', field: null });
      return ask(one);
    });
    render(App, { host });
    await fireEvent.click(await screen.findByTestId('nav-alerts'));
    await fireEvent.click(await screen.findByTestId('part-rules'));
    expect((await screen.findByTestId('rules-failed')).textContent).toContain('Rules are not shown here.');
  });

  it('show an old preview as old when the program cannot be reached, and save nothing', async () => {
    const host = await open({}, 'rules');
    await rule('Long wait');
    await waitFor(() => expect(screen.getByTestId('rule-now').textContent).toContain('Billing EU'));
    host.setLink({ up: false, since: Date.now() });
    await waitFor(() => expect(screen.getByTestId('rule-now').classList.contains('hatch')).toBe(true));
    expect(screen.getByTestId('rule-now').textContent).toContain('as of');
    expect((screen.getByTestId('rule-save') as HTMLButtonElement).disabled).toBe(true);
  });
});
